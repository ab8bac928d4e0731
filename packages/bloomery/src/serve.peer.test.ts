import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { KUBECTLS, kubectl } from './testing/kubectl.ts';
import { type ServeProcess, startServe } from './testing/serve-process.ts';

const SERVER = (name: string, accepted: boolean): string => `
apiVersion: metal.sidero.dev/v1alpha2
kind: Server
metadata:
  name: ${name}
  labels: {zone: east}
spec:
  accepted: ${accepted}
`;
const OLD_SERVER = `
apiVersion: metal.sidero.dev/v1alpha1
kind: Server
metadata: {name: 00000000-0000-0000-0000-0000000000aa}
spec: {accepted: false, system: {manufacturer: Dell}}
`;

for (const client of KUBECTLS) {
  describe(`real ${client.name} against bloomery serve`, { skip: client.missing }, () => {
    let plane: ServeProcess;
    const run = (args: readonly string[], input?: string, env?: Readonly<Record<string, string>>) =>
      kubectl(client.path, plane.kubeconfig, args, {
        ...(input === undefined ? {} : { input }),
        ...(env === undefined ? {} : { env }),
      });
    const ok = (args: readonly string[], input?: string, env?: Readonly<Record<string, string>>): string => {
      const result = run(args, input, env);
      assert.equal(result.code, 0, `kubectl ${args.join(' ')}: ${result.stderr}${result.stdout}`);
      return result.stdout;
    };
    before(async () => {
      plane = await startServe();
    });
    after(async () => {
      await plane?.stop();
    });

    it('keeps its files private', () => {
      assert.equal(statSync(plane.dir).mode & 0o777, 0o700);
      assert.equal(statSync(plane.kubeconfig).mode & 0o777, 0o600);
    });

    it('finds no servers in a new plane', () => {
      const result = run(['get', 'servers']);
      assert.equal(result.code, 0, result.stderr);
      assert.match(result.stderr, /No resources found/);
    });

    it('applies, and applies again without a change', () => {
      assert.match(ok(['apply', '-f', '-'], SERVER('s1', false)), /server.*\/s1 created/);
      assert.match(ok(['apply', '-f', '-'], SERVER('s1', false)), /server.*\/s1 unchanged/);
      assert.match(ok(['apply', '-f', '-'], SERVER('s1', true)), /server.*\/s1 configured/);
    });

    it('prints the columns in the documented order', () => {
      const [head = ''] = ok(['get', 'srv', '-o', 'wide']).split('\n');
      assert.deepEqual(
        head
          .split(/\s{2,}/)
          .map((c) => c.trim())
          .filter(Boolean)
          .slice(0, 10),
        ['NAME', 'HOSTNAME', 'ACCEPTED', 'CORDONED', 'ALLOCATED', 'CLEAN', 'POWER', 'PHASE', 'WAITING-FOR', 'AGE'],
      );
    });

    it('selects by label and field', () => {
      assert.match(ok(['get', 'servers', '-l', 'zone=east', '-o', 'name']), /s1/);
      assert.equal(ok(['get', 'servers', '-l', 'zone=west', '-o', 'name']).trim(), '');
      assert.match(ok(['get', 'servers', '--field-selector', 'metadata.name=s1', '-o', 'name']), /s1/);
    });

    it('reads and writes the old version without losing what it cannot express', () => {
      ok(['apply', '-f', '-'], OLD_SERVER);
      const name = '00000000-0000-0000-0000-0000000000aa';
      assert.equal(
        ok(['get', 'servers.v1alpha2.metal.sidero.dev', name, '-o', 'jsonpath={.spec.hardware.system.manufacturer}']),
        'Dell',
      );
      ok([
        'patch',
        'servers.v1alpha2.metal.sidero.dev',
        name,
        '--type=merge',
        '-p',
        '{"spec":{"hardware":{"memory":{"totalSize":"8 GB"}}}}',
      ]);
      ok([
        'patch',
        'servers.v1alpha1.metal.sidero.dev',
        name,
        '--type=merge',
        '-p',
        '{"spec":{"system":{"manufacturer":"HP"}}}',
      ]);
      assert.equal(
        ok([
          'get',
          'servers.v1alpha2.metal.sidero.dev',
          name,
          '-o',
          'jsonpath={.spec.hardware.system.manufacturer} {.spec.hardware.memory.totalSize}',
        ]),
        'HP 8 GB',
      );
    });

    it('describes with Events', () => {
      assert.match(ok(['describe', 'server', 's1']), /Name:\s+s1[\s\S]*Events:/);
    });

    it('edits', () => {
      ok(['edit', 'server', 's1'], undefined, { KUBE_EDITOR: 'sed -i s/accepted:\\ true/accepted:\\ false/' });
      assert.equal(ok(['get', 'server', 's1', '-o', 'jsonpath={.spec.accepted}']), 'false');
    });

    it('explains fields from the published schema', () => {
      assert.match(ok(['explain', 'server.spec.accepted']), /accepted/);
      assert.match(ok(['explain', 'metalmachine.spec']), /providerID/);
    });

    it('lists our category', () => {
      assert.match(ok(['get', 'bloomery', '-A', '-o', 'name']), /serverclass\.metal\.sidero\.dev\/any/);
    });

    it('answers `get all` of an API that runs nothing with its own Service only', () => {
      assert.equal(ok(['get', 'all', '-A', '-o', 'name']), 'service/kubernetes\n');
    });

    it('refuses a bad manifest with the field path and stores nothing', () => {
      const bad = SERVER('bad', true).replace('accepted: true', 'accepted: true\n  bootFromDiskMethod: explode');
      const result = run(['apply', '-f', '-'], bad);
      assert.notEqual(result.code, 0);
      assert.match(result.stderr, /spec\.bootFromDiskMethod: Invalid value: "explode"/);
      assert.match(run(['get', 'server', 'bad']).stderr, /NotFound/);
    });

    it('waits for a condition that a controller sets', () => {
      ok(['apply', '-f', '-'], SERVER('waiting', false));
      ok(['wait', '--for=condition=Ready=False', 'server/waiting', '--timeout=30s']);
      const reason = '{.status.conditions[?(@.type=="Ready")].reason}';
      assert.equal(ok(['get', 'server', 'waiting', '-o', `jsonpath=${reason}`]), 'WaitingForAccept');
    });

    it('creates built-in objects and keeps Secrets out of the database in the clear', () => {
      ok(['create', 'secret', 'generic', 'password', '--from-literal=pass=correct-horse-battery']);
      ok(['create', 'configmap', 'settings', '--from-literal=a=b']);
      ok(['create', 'namespace', 'racks']);
      assert.match(ok(['get', 'ns']), /racks\s+Active/);
      const grep = spawn('grep', ['-rl', 'correct-horse-battery', join(plane.dir)]);
      return new Promise<void>((resolve, reject) => {
        grep.once('exit', (code) => (code === 1 ? resolve() : reject(new Error('the Secret is readable on disk'))));
      });
    });

    it('deletes, and waits until the object is gone', () => {
      assert.match(ok(['delete', 'server', 's1', '--timeout=30s']), /deleted/);
      assert.match(run(['get', 'server', 's1']).stderr, /NotFound/);
    });
  });
}

describe('bloomery serve', () => {
  it('stops in good order on SIGTERM and keeps every object for the next start', {
    skip: KUBECTLS[1]?.missing ?? false,
  }, async () => {
    const client = KUBECTLS[1]?.path ?? '';
    const first = await startServe();
    assert.equal(kubectl(client, first.kubeconfig, ['apply', '-f', '-'], { input: SERVER('kept', false) }).code, 0);
    assert.equal(await first.stop(), 0);
    const second = await startServe({ dir: first.dir });
    try {
      assert.equal(kubectl(client, second.kubeconfig, ['get', 'server', 'kept']).code, 0);
    } finally {
      await second.stop('SIGKILL');
    }
    const third = await startServe({ dir: first.dir });
    try {
      assert.equal(kubectl(client, third.kubeconfig, ['get', 'server', 'kept']).code, 0);
    } finally {
      await third.stop();
    }
  });
});
