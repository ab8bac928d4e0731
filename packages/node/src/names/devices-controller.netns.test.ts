import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { until } from '@bloomery/ports';
import { hardware } from './testing/hardware.ts';

const skip =
  process.getuid?.() === 0 && spawnSync('ip', ['netns', 'list']).status === 0 ? false : 'needs root and ip netns';

/** The kernel has pairs of virtual links; that they are cards in slots is what the made-up sysfs says. */
const MACHINE = hardware({
  devices: { 'devices/pci0000:00/0000:00:03.0': 'pci', 'devices/pci0000:00/0000:00:04.0': 'pci' },
  interfaces: {
    eth0: { on: 'devices/pci0000:00/0000:00:03.0', attributes: { address: '52:54:00:00:00:01' } },
    eth1: { on: 'devices/pci0000:00/0000:00:04.0', attributes: { address: '52:54:00:00:00:02' } },
  },
});

interface IpLink {
  readonly ifname: string;
  readonly altnames?: readonly string[];
  readonly flags: readonly string[];
}

describe('names of links of a real kernel', { skip, timeout: 60_000 }, () => {
  let folder: string;
  let namespace: string;
  let daemon: ChildProcess | undefined;
  let made = 0;
  const ip = (...args: readonly string[]): string =>
    execFileSync('ip', ['-n', namespace, ...args], { encoding: 'utf8' });
  const links = (): Readonly<Record<string, readonly string[]>> => {
    const all: readonly IpLink[] = JSON.parse(ip('-j', 'link'));
    const hard = all.filter(({ ifname }) => ifname !== 'lo' && !ifname.endsWith('p'));
    return Object.fromEntries(hard.map(({ ifname, altnames = [] }) => [ifname, altnames.toSorted()]));
  };
  const start = async (cmdline = ''): Promise<void> => {
    const main = join(import.meta.dirname, 'testing/name-daemon.ts');
    const args = [process.execPath, main, folder, join(folder, 'state'), cmdline];
    daemon = spawn('ip', ['netns', 'exec', namespace, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (daemon.stdout !== null) await once(daemon.stdout, 'data');
  };
  const add = (name: string): void => void ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'blm-names-'));
    namespace = `blmname${process.pid}x${made++}`;
    execFileSync('ip', ['netns', 'add', namespace]);
    const at = (path: string): string => join(folder, 'sys', path);
    for (const [path, value] of Object.entries(MACHINE.files)) {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), typeof value === 'string' ? `${value}\n` : Buffer.from(value.hex, 'hex'));
    }
    for (const [path, target] of Object.entries(MACHINE.links)) {
      mkdirSync(dirname(at(path)), { recursive: true });
      mkdirSync(at(target), { recursive: true });
      symlinkSync(relative(dirname(at(path)), at(target)), at(path));
    }
  });
  afterEach(async () => {
    if (daemon !== undefined && daemon.exitCode === null) {
      daemon.stdin?.end();
      await once(daemon, 'exit');
    }
    daemon = undefined;
    execFileSync('ip', ['netns', 'del', namespace]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('are given at the start, also to a link that is up, and to one that comes later', async () => {
    add('eth0');
    ip('link', 'set', 'eth0', 'up');
    await start();
    assert.deepEqual(links(), { enp0s3: ['enx525400000001', 'eth0'] });
    const [link]: readonly IpLink[] = JSON.parse(ip('-j', 'link', 'show', 'eth0'));
    assert.ok(link?.flags.includes('UP'));
    add('eth1');
    await until('the second one has its name', () => Object.hasOwn(links(), 'enp0s4'), { deadlineMs: 10_000 });
    await until('and its further names', () => links()['enp0s4']?.length === 2, { deadlineMs: 10_000 });
    assert.deepEqual(links()['enp0s4'], ['enx525400000002', 'eth1']);
  });

  it('stay with net.ifnames=0, and get further ones', async () => {
    add('eth0');
    await start('net.ifnames=0');
    assert.deepEqual(links(), { eth0: ['enp0s3', 'enx525400000001'] });
  });
});
