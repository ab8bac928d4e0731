import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';

const A = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const B = '6b121f82-24a8-4611-9d23-fa1a5ba564f1';

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces';
  try {
    accessSync('/dev/net/tun');
    execFileSync('wireguard-go', ['--version'], { stdio: 'ignore' });
    execFileSync('nft', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'needs /dev/net/tun, wireguard-go and nft';
  }
}

const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' });

describe('the link between two network namespaces', { skip: whyNot(), timeout: 90_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'blm-link-'));
  const ns = { plane: `blmlp${process.pid}`, machine: `blmlm${process.pid}` };
  const running: ChildProcess[] = [];
  after(() => {
    for (const child of running) child.kill('SIGKILL');
    for (const name of Object.values(ns)) {
      for (const pid of ip('netns', 'pids', name).split('\n').filter(Boolean)) process.kill(Number(pid), 'SIGKILL');
      ip('netns', 'del', name);
    }
    rmSync(dir, { recursive: true, force: true });
  });

  const start = (where: string, script: string, ...args: string[]): ChildProcess => {
    const file = join(import.meta.dirname, 'testing', script);
    const child = spawn('ip', ['netns', 'exec', where, process.execPath, file, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    running.push(child);
    return child;
  };
  const converse = (child: ChildProcess): ((question?: object) => Promise<Record<string, unknown>>) => {
    const input = child.stdout;
    assert.ok(input);
    const lines = createInterface(input)[Symbol.asyncIterator]();
    return async (question) => {
      if (question !== undefined) child.stdin?.write(`${JSON.stringify(question)}\n`);
      const { value, done } = await lines.next();
      assert.ok(done !== true, 'the process ended without an answer');
      return JSON.parse(value);
    };
  };

  it('carries the events of a machine from its first handshake on, and recovers from kill -9', async () => {
    for (const name of Object.values(ns)) {
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    ip('link', 'add', 'veth', 'netns', ns.plane, 'type', 'veth', 'peer', 'name', 'veth', 'netns', ns.machine);
    ip('-n', ns.plane, 'address', 'add', '10.99.0.1/24', 'dev', 'veth');
    ip('-n', ns.machine, 'address', 'add', '10.99.0.2/24', 'dev', 'veth');
    for (const name of Object.values(ns)) ip('-n', name, 'link', 'set', 'veth', 'up');

    const planeDir = join(dir, 'plane');
    const first = start(ns.plane, 'plane-end.ts', planeDir, '10.99.0.1', A, B);
    const askFirst = converse(first);
    const hello = await askFirst();
    const status = hello['status'] as Record<string, unknown>;
    assert.equal(status['state'], 'up', JSON.stringify(hello));
    assert.equal(status['interfaceName'], 'siderolink');

    const machine = converse(start(ns.machine, 'machine-end.ts', join(dir, 'a'), `10.99.0.1:${hello['port']}`, A));
    const joined = await machine();
    assert.equal(joined['serverAddress'], hello['serverAddress']);
    assert.equal(joined['refused'], 'INVALID_ARGUMENT');
    const binding = await askFirst({ ask: 'binding', name: A });
    const spec = binding['spec'] as Record<string, unknown>;
    assert.deepEqual(spec['addresses'], ['172.25.0.5']);
    assert.equal(spec['hostname'], 'pxe-2');
    assert.equal((spec['siderolink'] as Record<string, unknown>)['address'], joined['nodeAddress']);
    const conditions = (binding['status'] as { conditions: { type: string; status: string }[] }).conditions;
    assert.deepEqual(
      conditions.filter((c) => c.type.startsWith('Talos')).map((c) => [c.type, c.status]),
      [
        ['TalosConfigLoaded', 'True'],
        ['TalosConfigValidated', 'True'],
        ['TalosInstalled', 'True'],
      ],
    );
    const marks = (await askFirst({ ask: 'timeline' })) as unknown as readonly string[];
    assert.deepEqual(marks.slice(0, 3), ['LinkProvisioned', 'AddressesReported', 'BootStarted']);

    const rules = execFileSync('ip', ['netns', 'exec', ns.plane, 'nft', 'list', 'ruleset'], { encoding: 'utf8' });
    assert.match(rules, /table inet bloomery_siderolink \{[\s\S]*tcp dport \{ 4001-?,? ?4002 \} accept\s+drop/);
    const killed = new Promise((resolve) => first.once('exit', resolve));
    first.kill('SIGKILL');
    await killed;
    const askSecond = converse(start(ns.plane, 'plane-end.ts', planeDir, '10.99.0.1', A, B));
    const again = await askSecond();
    assert.equal(
      (again['status'] as Record<string, unknown>)['interfaceName'],
      'siderolink',
      'the device is taken over',
    );
    const other = converse(start(ns.machine, 'machine-end.ts', join(dir, 'b'), `10.99.0.1:${again['port']}`, B));
    assert.equal((await other())['serverAddress'], again['serverAddress']);
    assert.equal(await askSecond({ ask: 'stop' }), 'stopped');
    assert.doesNotMatch(ip('-n', ns.plane, 'link', 'show'), /siderolink/, 'the interface goes with the plane');
  });
});
