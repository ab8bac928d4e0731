import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type KindRef, type KubeObject, machine, secret, server, serverBinding, serverClass } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { clusterOfTest, item, SERVER, type TestItem } from '../testing/cluster-of-test.ts';
import { createFakeSession, type FakeSession } from '../testing/fake-session.ts';
import { config } from './config.ts';

const text = (name: string, token: string): string => `version: v1alpha1
machine:
    type: controlplane
    token: ${token}
    network:
        hostname: ${name}
cluster:
    controlPlane:
        endpoint: https://10.5.0.1:6443
`;
const dataOf = (name: string, token = 'verysecret'): TestItem =>
  ({
    kind: secret,
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `${name}-bootstrap-data`, namespace: 'default' },
      data: { value: Buffer.from(text(name, token)).toString('base64') },
    },
  }) as TestItem;
const OTHER = '7b121f82-24a8-4611-9d23-fa1a5ba564f1';

/** The cluster of tests, with bootstrap data for its control plane machine and one worker, and patches. */
function world(): readonly TestItem[] {
  const objects = clusterOfTest().map(({ kind, object }): TestItem => {
    const { name } = object.metadata;
    if (kind.kind === 'Machine' && ['forge-cp-1', 'forge-w1'].includes(name)) return { kind, object: withData(object) };
    if (kind.kind === 'MetalMachine') return { kind, object: ownedByMachine(object) };
    if (kind.kind === 'ServerBinding') return { kind, object: ofClass(object) };
    return { kind, object };
  });
  return [
    ...objects,
    dataOf('forge-cp-1'),
    dataOf('forge-w1'),
    item(serverClass, 'any', { spec: { strategicPatches: ['machine: {install: {disk: /dev/vda}}'] } }),
    item(server, OTHER, { spec: { accepted: true } }),
  ];
}
const specOf = (object: KubeObject): object => Reflect.get(object, 'spec') ?? {};
const withData = (object: KubeObject): KubeObject => {
  const { name } = object.metadata;
  const spec = specOf(object) as { readonly bootstrap: object };
  const bootstrap = { ...spec.bootstrap, dataSecretName: `${name}-bootstrap-data` };
  return { ...object, spec: { ...spec, bootstrap } } as KubeObject;
};
const ownedByMachine = (object: KubeObject): KubeObject => {
  const owner = { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: machine.kind, name: object.metadata.name, uid: '' };
  const metadata = { ...object.metadata, ownerReferences: [owner] };
  return { ...object, metadata, spec: { serverRef: { name: SERVER } } } as KubeObject;
};
const ofClass = (object: KubeObject): KubeObject =>
  ({ ...object, spec: { ...specOf(object), serverClassRef: { name: 'any' }, hostname: 'cp1' } }) as KubeObject;

const session = (): FakeSession => createFakeSession(world());
const HEAD = `# machine:     forge-cp-1 of cluster forge, Provisioning
# made from:   bootstrap data of TalosConfig forge-cp-1 (Secret default/forge-cp-1-bootstrap-data)
#              serverclass any: 0 JSON patch operations, 1 strategic patches
#              server: 0 JSON patch operations, 0 strategic patches
#              label metal.sidero.dev/uuid of the node
#              SideroLink documents (not shown here)
# server:      ${SERVER} (cp1)
# log:         bloomery logs machine/forge-cp-1
# waits for:   nothing
# secrets:     hidden; --show-secrets shows them
`;

describe('bloomery config', () => {
  it('shows what a machine is served and where it comes from, without its secrets', async () => {
    const s = session();
    assert.equal(await config(s, ['forge-cp-1'], {}), 0);
    assert.ok(s.out().startsWith(HEAD), s.out());
    assert.match(s.out(), /disk: \/dev\/vda/);
    assert.match(s.out(), /metal\.sidero\.dev\/uuid=/);
    assert.doesNotMatch(s.out(), /verysecret/);
  });

  it('shows the secrets when it is asked to', async () => {
    const s = session();
    await config(s, ['show', 'forge-cp-1'], { showSecrets: true });
    assert.match(s.out(), /token: verysecret/);
    assert.doesNotMatch(s.out(), /hidden/);
  });

  it('shows only the bootstrap data when it is asked to', async () => {
    const s = session();
    await config(s, ['forge-cp-1'], { bootstrap: true });
    assert.doesNotMatch(s.out(), /vda|sidero/);
  });

  it('finds the machine by any of its objects', async () => {
    const names = [
      'machine/forge-cp-1',
      'talosconfig/forge-cp-1',
      'mm/forge-cp-1',
      `server/${SERVER}`,
      'rack1-u07',
      SERVER.slice(0, 8),
    ];
    for (const name of names) {
      const s = session();
      await config(s, [name], { json: true });
      const { machine: found, metalMachine, server: on } = JSON.parse(s.out());
      assert.deepEqual([found, metalMachine, on], ['forge-cp-1', 'forge-cp-1', SERVER], name);
    }
  });

  it('lists the machines of a cluster', async () => {
    const s = session();
    await config(s, ['forge'], {});
    assert.equal(
      s.out(),
      [
        'MACHINE      TYPE   TALOSCONFIG   BOOTSTRAP DATA              SERVER                                 WAITING-FOR',
        `forge-cp-1   -      forge-cp-1    forge-cp-1-bootstrap-data   ${SERVER}   -`,
        'forge-w1     -      forge-w1      forge-w1-bootstrap-data     -                                      -',
        'forge-w2     -      forge-w2      -                           -                                      -',
        '',
      ].join('\n'),
    );
  });

  it('compares two machines, and tells by its exit code whether they differ', async () => {
    const s = session();
    assert.equal(await config(s, ['forge-w1'], { diff: 'forge-cp-1', bootstrap: true }), 8);
    assert.match(s.out(), /machine\.network\.hostname +changed +forge-cp-1 +forge-w1\n/);
    const same = session();
    assert.equal(await config(same, ['forge-w1'], { diff: 'forge-w1' }), 0);
    assert.equal(same.err(), 'No differences.\n');
  });

  it('says why there is none', async () => {
    const cases: [words: string[], code: string, message: RegExp][] = [
      [['forge-w2'], 'BLM_CLI_REFUSED', /machine forge-w2 has no configuration yet: TalosConfig forge-w2: /],
      [[OTHER], 'BLM_CLI_REFUSED', /server 7b12\S+ works for no machine/],
      [['forge-w3'], 'BLM_CLI_NAME_UNKNOWN', /did you mean forge-w1, forge-w2/],
      [['machine/forge'], 'BLM_CLI_NAME_UNKNOWN', /is called "forge"/],
      [[], 'BLM_CLI_USAGE', /config of what/],
    ];
    for (const [words, code, message] of cases) await assert.rejects(config(session(), words, {}), { code, message });
  });

  it('needs the right to read Secrets, and says so', async () => {
    const s = session();
    const get = <T extends KubeObject>(kind: KindRef<T>, key: { readonly name: string }) => {
      if (kind.kind !== 'Secret') return s.client.get(kind, key);
      throw new BloomeryError('BLM_API_FORBIDDEN', 'secrets "x" is forbidden');
    };
    await assert.rejects(config({ ...s, client: { ...s.client, get } }, ['forge-cp-1'], {}), {
      code: 'BLM_API_FORBIDDEN',
    });
  });

  it('works for who may not read the rack', async () => {
    const s = session();
    const get = <T extends KubeObject>(kind: KindRef<T>, key: { readonly name: string }) => {
      if (kind.kind !== server.kind && kind.kind !== serverBinding.kind) return s.client.get(kind, key);
      throw new BloomeryError('BLM_API_FORBIDDEN', 'no');
    };
    await config({ ...s, client: { ...s.client, get } }, ['forge-cp-1'], {});
    assert.match(s.out(), /made from: {3}bootstrap data of TalosConfig forge-cp-1/);
  });
});
