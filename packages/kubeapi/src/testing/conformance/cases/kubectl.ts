import { area, type Case } from '../area.ts';
import { THING } from '../shared-kinds.ts';
import { KUBECTLS } from '../target.ts';

const MAP = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: "1", b: "2"}\n`;
const THING_YAML = `apiVersion: ${THING}\nkind: Thing\nmetadata: {name: t}\nspec: {size: 3, ports: [{name: h, port: 80}]}\n`;

/** The same steps with a current kubectl and with an old one. */
function both(title: string, run: (old: boolean) => Case['run']): Record<string, Case['run']> {
  return { [title]: run(false), [`${title}, with kubectl 1.20`]: run(true) };
}

/** What kubectl prints, and how it ends. */
export const kubectl = area(
  'kubectl',
  {
    ...both('create, get, edit by patch, label, annotate and delete', (old) => async (s) => {
      const run = (args: string, input?: string) =>
        s.kubectl(args.split(' '), { old, ...(input === undefined ? {} : { input }) });
      await run('create -f -', MAP);
      await run('create -f -', MAP);
      await run('get configmap settings');
      await run('get cm settings -o name');
      await run('get cm settings -o jsonpath={.data.a}');
      await run('get cm none');
      await run('label cm settings tier=web');
      await run('label cm settings tier=db');
      await run('label cm settings tier=db --overwrite');
      await run('label cm settings tier-');
      await run('annotate cm settings note=hello');
      await s.kubectl(['patch', 'cm', 'settings', '-p', '{"data":{"c":"3"}}'], { old });
      await s.kubectl(['patch', 'cm', 'settings', '--type=json', '-p', '[{"op":"remove","path":"/data/none"}]'], {
        old,
      });
      await run('get cm settings -o jsonpath={.data}');
      await run('delete cm settings');
      await run('delete cm settings');
      await run('delete cm settings --ignore-not-found');
    }),
    ...both('apply, change and diff', (old) => async (s) => {
      const run = (args: string, input?: string) =>
        s.kubectl(args.split(' '), { old, ...(input === undefined ? {} : { input }) });
      await run('apply -f -', MAP);
      await run('apply -f -', MAP);
      await run('apply -f -', MAP.replace('"1"', '"9"').replace(', b: "2"', ''));
      await run('get cm settings -o jsonpath={.data}');
      await run('apply -f -', THING_YAML);
      await run('apply -f -', THING_YAML.replace('size: 3', 'size: 4'));
      await run('apply -f -', THING_YAML.replace('size: 3', 'size: 400'));
      await run('get thing t');
      await run('get things.vec.bloomery.test t -o jsonpath={.spec.size}');
      await run('replace -f -', MAP);
      await run('delete -f -', MAP);
      await run('delete thing t --cascade=orphan'.replace(old ? '=orphan' : '=none-such', old ? '=orphan' : '=orphan'));
    }),
    'apply on the server side, with a conflict': async (s) => {
      const run = (args: string, input: string) => s.kubectl(args.split(' '), { input });
      await run('apply --server-side --field-manager=one -f -', THING_YAML);
      await run('apply --server-side --field-manager=two -f -', THING_YAML.replace('size: 3', 'size: 5'));
      await run(
        'apply --server-side --field-manager=two --force-conflicts -f -',
        THING_YAML.replace('size: 3', 'size: 5'),
      );
      await s.kubectl(['get', 'thing', 't', '-o', 'jsonpath={.spec.size}']);
      await run('apply --server-side --dry-run=server --field-manager=two --force-conflicts -f -', THING_YAML);
    },
    'validation before anything is sent': async (s) => {
      await s.kubectl(['create', '-f', '-'], { input: MAP.replace('data:', 'datta: {}\ndata:') });
      await s.kubectl(['apply', '-f', '-'], { input: THING_YAML.replace('size: 3', 'size: 3, typo: 1') });
      await s.kubectl(['create', '--validate=false', '-f', '-'], { input: MAP.replace('data:', 'datta: {}\ndata:') });
    },
    'scale, wait and wide output': async (s) => {
      await s.kubectl(['create', '-f', '-'], { input: THING_YAML.replace('size: 3', 'size: 3, replicas: 1') });
      await s.kubectl(['scale', 'thing', 't', '--replicas=4']);
      await s.kubectl(['scale', 'thing', 't', '--replicas=5', '--current-replicas=1']);
      await s.kubectl(['get', 'thing', 't', '-o', 'wide']);
      await s.kubectl(['wait', 'thing/t', '--for=jsonpath={.spec.replicas}=4', '--timeout=10s']);
      await s.kubectl(['wait', 'thing/t', '--for=condition=Ready', '--timeout=1s']);
      await s.kubectl(['delete', 'thing', 't', '--cascade=foreground', '--timeout=60s']);
    },
    'objects are made by their generators': async (s) => {
      await s.kubectl(['create', 'configmap', 'c', '--from-literal=a=b']);
      await s.kubectl(['create', 'secret', 'generic', 's', '--from-literal=a=b']);
      await s.kubectl(['create', 'serviceaccount', 'bot']);
      await s.kubectl(['create', 'role', 'r', '--verb=get,list', '--resource=configmaps']);
      await s.kubectl(['create', 'rolebinding', 'rb', '--role=r', `--serviceaccount=${s.ns}:bot`]);
      await s.kubectl(['get', 'role,rolebinding', '-o', 'name']);
      await s.kubectl(['get', 'rolebinding', 'rb', '-o', 'wide']);
      await s.kubectl(['auth', 'can-i', 'get', 'configmaps', `--as=system:serviceaccount:${s.ns}:bot`]);
      await s.kubectl(['auth', 'can-i', 'delete', 'configmaps', `--as=system:serviceaccount:${s.ns}:bot`]);
      await s.kubectl(['get', 'configmap', 'c', `--as=system:serviceaccount:${s.ns}:bot`, '-o', 'name']);
      await s.kubectl(['delete', 'configmap', 'c', `--as=system:serviceaccount:${s.ns}:bot`]);
      const token = await s.kubectl(['create', 'token', 'bot'], { quiet: true });
      s.note('token', [token.code, token.stdout.split('.').length]);
      await s.kubectl(['auth', 'whoami', `--as=eve`, '-o', 'jsonpath={.status.userInfo.username}']);
    },
    'describe says what there is': async (s) => {
      await s.kubectl(['create', '-f', '-'], { input: MAP, quiet: true });
      await s.kubectl(['describe', 'configmap', 'settings']);
      await s.kubectl(['create', '-f', '-'], { input: THING_YAML, quiet: true });
      const described = await s.kubectl(['describe', 'thing', 't'], { quiet: true });
      s.note('described', [
        described.code,
        /Size: +3/.test(described.stdout),
        /Events: +<none>/.test(described.stdout),
      ]);
    },
    'explain reads the schema': async (s) => {
      await s.kubectl(['explain', 'thing.spec.ports']);
      await s.kubectl(['explain', 'thing.spec.none']);
      const explained = await s.kubectl(['explain', 'configmap.data'], { quiet: true });
      s.note('configmap.data', [explained.code, explained.stdout.includes('FIELD: data <map[string]string>')]);
    },
    'what is served can be listed': async (s) => {
      const resources = await s.kubectl(['api-resources', '--api-group=vec.bloomery.test', '--no-headers'], {
        quiet: true,
      });
      s.note('resources', resources.stdout.trim().split(/\s+/));
      const versions = await s.kubectl(['api-versions'], { quiet: true });
      s.note(
        'versions',
        ['v1', 'vec.bloomery.test/v1', 'coordination.k8s.io/v1'].filter((v) => versions.stdout.split('\n').includes(v)),
      );
      const version = await s.kubectl(['version', '-o', 'json'], { quiet: true });
      s.note('version', [version.code, JSON.parse(version.stdout).serverVersion.minor]);
      const info = await s.kubectl(['cluster-info'], { quiet: true });
      s.note('info', info.code);
    },
    'a namespace goes while kubectl waits': async (s) => {
      await s.kubectl(['create', 'namespace', `${s.ns}-k`]);
      await s.kubectl(['create', 'configmap', 'c', '--namespace', `${s.ns}-k`, '--from-literal=a=b']);
      await s.kubectl(['delete', 'namespace', `${s.ns}-k`, '--timeout=60s']);
      await s.kubectl(['get', 'namespace', `${s.ns}-k`]);
    },
    'all of a kind are deleted by their label': async (s) => {
      for (const name of ['a', 'b', 'c']) await s.kubectl(['create', 'configmap', name], { quiet: true });
      await s.kubectl(['label', 'cm', 'a', 'b', 'x=y'], { quiet: true });
      await s.kubectl(['get', 'cm', '-l', 'x=y', '-o', 'name']);
      await s.kubectl(['delete', 'cm', '-l', 'x=y']);
      await s.kubectl(['get', 'cm', '-o', 'name', '--field-selector', 'metadata.name!=kube-root-ca.crt']);
      await s.kubectl(['delete', 'cm', '--all', '--dry-run=server', '--field-selector', 'metadata.name=c']);
    },
  },
  { needs: Object.values(KUBECTLS) },
);
