import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, describe, it } from 'node:test';

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces';
  return existsSync('/usr/sbin/dnsmasq') ? false : 'needs dnsmasq';
}

const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
const PROXY = '10.78.0.1';

/** Namespaces: the plane, the site's DHCP server, and a machine, on one switch; the plane has a second network. */
describe('the DHCP proxy on a real network', { skip: whyNot(), timeout: 60_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'blm-dhcp-'));
  const ns = { plane: `blmdp${process.pid}`, site: `blmds${process.pid}`, machine: `blmdm${process.pid}` };
  let running: ChildProcess[] = [];
  const stopAll = (): void => {
    for (const child of running) child.kill('SIGKILL');
    running = [];
    for (const name of Object.values(ns)) {
      if (!ip('netns', 'list').includes(name)) continue;
      for (const pid of ip('netns', 'pids', name).split('\n').filter(Boolean)) process.kill(Number(pid), 'SIGKILL');
      ip('netns', 'del', name);
    }
  };
  afterEach(stopAll);
  after(() => rmSync(dir, { recursive: true, force: true }));

  const makeNetwork = (): void => {
    for (const name of Object.values(ns)) {
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    ip('-n', ns.plane, 'link', 'add', 'br0', 'type', 'bridge');
    ip('-n', ns.plane, 'address', 'add', `${PROXY}/24`, 'dev', 'br0');
    ip('-n', ns.plane, 'link', 'set', 'br0', 'up');
    for (const [peer, link] of [
      [ns.site, 'site'],
      [ns.machine, 'machine'],
    ] as const) {
      ip('link', 'add', link, 'netns', ns.plane, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', peer);
      ip('-n', ns.plane, 'link', 'set', link, 'master', 'br0', 'up');
      ip('-n', peer, 'link', 'set', 'eth0', 'up');
    }
    // A second network with the default route, where answers must not go.
    ip('-n', ns.plane, 'link', 'add', 'other', 'type', 'bridge');
    ip('-n', ns.plane, 'address', 'add', '10.79.0.1/24', 'dev', 'other');
    ip('-n', ns.plane, 'link', 'set', 'other', 'up');
    ip('-n', ns.plane, 'route', 'add', 'default', 'via', '10.79.0.2');
    ip('-n', ns.site, 'address', 'add', '10.78.0.2/24', 'dev', 'eth0');
    ip('-n', ns.machine, 'route', 'add', 'default', 'dev', 'eth0');
  };
  const start = (where: string, program: string, ...args: string[]): ChildProcess => {
    const child = spawn('ip', ['netns', 'exec', where, program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    running.push(child);
    return child;
  };
  const script = (where: string, file: string, ...args: string[]): ChildProcess =>
    start(where, process.execPath, join(import.meta.dirname, 'testing', file), ...args);
  const answerOf = async (child: ChildProcess): Promise<unknown> => {
    assert.ok(child.stdout !== null);
    const [line] = await once(createInterface(child.stdout), 'line');
    return JSON.parse(String(line));
  };
  const dnsmasq = async (where: string, ...args: string[]): Promise<void> => {
    const common = ['--keep-in-foreground', '--port=0', '--log-facility=-', '--no-ping', '--conf-file=/dev/null'];
    const range = ['--dhcp-range=10.78.0.50,10.78.0.60,1h', `--dhcp-leasefile=${join(dir, 'leases')}`];
    const child = start(where, '/usr/sbin/dnsmasq', ...common, ...range, ...args);
    assert.ok(child.stderr !== null);
    for await (const line of createInterface(child.stderr)) if (line.includes('DHCP, IP range')) return;
    assert.fail('dnsmasq ended');
  };
  const bySite = { server: '10.78.0.2', type: 2, gives: true, file: '' };
  const byUs = { server: PROXY, type: 2, gives: false, file: 'snp.efi' };
  const sorted = (answers: unknown): unknown =>
    Array.isArray(answers)
      ? answers.toSorted((a, b) => (`${a.server} ${a.gives}` < `${b.server} ${b.gives}` ? -1 : 1))
      : answers;

  it('names the boot file beside the DHCP server of the site, by the interface of the machines', async () => {
    makeNetwork();
    await dnsmasq(ns.site);
    assert.deepEqual(await answerOf(script(ns.plane, 'proxy-end.ts', PROXY)), { dhcp: true, bootServer: true });
    assert.deepEqual(sorted(await answerOf(script(ns.machine, 'firmware-end.ts', 'discover', '2'))), [byUs, bySite]);
  });
  it('answers machines that ask on port 4011 with their own address', async () => {
    makeNetwork();
    assert.deepEqual(await answerOf(script(ns.plane, 'proxy-end.ts', PROXY)), { dhcp: true, bootServer: true });
    ip('-n', ns.machine, 'address', 'add', '10.78.0.55/24', 'dev', 'eth0');
    const answers = await answerOf(script(ns.machine, 'firmware-end.ts', 'ask', PROXY, '10.78.0.55'));
    assert.deepEqual(answers, [{ ...byUs, type: 5 }]);
  });
  it('shares port 67 with a DHCP server on the same host that allows it', async () => {
    makeNetwork();
    await dnsmasq(ns.plane, '--bind-interfaces', '--interface=br0');
    assert.deepEqual(await answerOf(script(ns.plane, 'proxy-end.ts', PROXY)), { dhcp: true, bootServer: true });
    const answers = await answerOf(script(ns.machine, 'firmware-end.ts', 'discover', '2'));
    assert.deepEqual(sorted(answers), [byUs, { ...bySite, server: PROXY }]);
  });
  it('keeps port 4011 when another program holds port 67 for itself', async () => {
    makeNetwork();
    await dnsmasq(ns.plane);
    assert.deepEqual(await answerOf(script(ns.plane, 'proxy-end.ts', PROXY)), { dhcp: false, bootServer: true });
    ip('-n', ns.machine, 'address', 'add', '10.78.0.55/24', 'dev', 'eth0');
    const answers = await answerOf(script(ns.machine, 'firmware-end.ts', 'ask', PROXY, '10.78.0.55'));
    assert.deepEqual(answers, [{ ...byUs, type: 5 }]);
  });
});
