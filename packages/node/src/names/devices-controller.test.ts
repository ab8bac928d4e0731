import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestRuntime } from '@bloomery/cosi/testing';
import { DevicesStatus } from '../resources/runtime.ts';
import { createFakeKernel, type FakeKernel } from '../testing/index.ts';
import { devicesController } from './devices-controller.ts';
import type { SysfsReader } from './sysfs.ts';
import { fakeSysfs } from './testing/fake-sysfs.ts';
import { type Attributes, hardware } from './testing/hardware.ts';

const at = (slot: number): string => `devices/pci0000:00/0000:00:0${slot}.0`;

/** A machine with PCI cards in the slots 3, 4, …; its kernel and its sysfs. */
function machine(cards: Readonly<Record<string, Attributes>>) {
  const kernel = createFakeKernel();
  const plugged: Record<string, Attributes> = {};
  const plug = (name: string, attributes: Attributes): void => {
    plugged[name] = attributes;
    kernel.plug({ name, hardwareAddr: attributes['address'] ?? '52:54:00:12:34:56' });
  };
  const sysfs = (): SysfsReader => {
    const names = Object.keys(plugged);
    return fakeSysfs(
      hardware({
        devices: Object.fromEntries(names.map((_, i) => [at(i + 3), 'pci'])),
        interfaces: Object.fromEntries(
          names.map((name, i) => [name, { on: at(i + 3), attributes: plugged[name] ?? {} }]),
        ),
      }),
    );
  };
  for (const [name, attributes] of Object.entries(cards)) plug(name, attributes);
  return { kernel, plug, reader: ofNow(sysfs) };
}

/** Reads what is there at the moment of each read. */
const ofNow = (sysfs: () => SysfsReader): SysfsReader => ({
  bytes: (path) => sysfs().bytes(path),
  list: (path) => sysfs().list(path),
  real: (path) => sysfs().real(path),
});

const settings = {
  stateDir: '/nowhere',
  manageAll: true,
  hostFiles: false,
  leave: false,
  uuid: '',
  talosVersion: 'v1.13.9',
  root: '/nowhere',
  cmdline: '',
};

const start = ({ kernel, reader }: ReturnType<typeof machine>, more: Partial<typeof settings> = {}, scheme?: string) =>
  startTestRuntime([
    devicesController(
      { kernel, settings: { ...settings, ...more } },
      { sysfs: reader, ...(scheme === undefined ? {} : { namingScheme: scheme }) },
    ),
  ]);

const linksOf = ({ view }: FakeKernel): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries([...view.links.values()].filter(({ name }) => name !== 'lo').map((l) => [l.name, l.altNames]));

const CARDS = { eth0: { address: '52:54:00:00:00:01' }, eth1: { address: '52:54:00:00:00:02' } };

describe('naming links', () => {
  it('gives each its name, keeps the old one and the other candidates as further names, and says so', async () => {
    const host = machine(CARDS);
    await using runtime = start(host);
    await runtime.settled();
    assert.deepEqual(linksOf(host.kernel), {
      enp0s3: ['enx525400000001', 'eth0'],
      enp0s4: ['enx525400000002', 'eth1'],
    });
    assert.deepEqual(runtime.specs(DevicesStatus), { devices: { ready: true } });
  });

  it('names no link after another one that has taken its name meanwhile', async () => {
    const host = machine({ eth0: { ...CARDS.eth0, ifindex: '7' }, eth1: { ...CARDS.eth1, ifindex: '3' } });
    await using runtime = start(host);
    await runtime.settled();
    assert.deepEqual(linksOf(host.kernel), { eth0: [], enp0s4: ['enx525400000002', 'eth1'] });
    assert.deepEqual(runtime.specs(DevicesStatus), { devices: { ready: true } });
  });

  it('renames none when only what the configuration names is managed', async () => {
    const host = machine(CARDS);
    await using runtime = start(host, { manageAll: false });
    await runtime.settled();
    assert.deepEqual(linksOf(host.kernel), { eth0: [], eth1: [] });
    assert.deepEqual(runtime.specs(DevicesStatus), { devices: { ready: true } });
  });

  it('keeps the names with net.ifnames=0, and adds the further ones', async () => {
    const host = machine(CARDS);
    await using runtime = start(host, { cmdline: 'console=ttyS0 net.ifnames=0' });
    await runtime.settled();
    assert.deepEqual(linksOf(host.kernel), {
      eth0: ['enp0s3', 'enx525400000001'],
      eth1: ['enp0s4', 'enx525400000002'],
    });
  });

  it('leaves names that somebody gave', async () => {
    const host = machine({ lan0: { name_assign_type: '3' } });
    await using runtime = start(host);
    await runtime.settled();
    assert.deepEqual(linksOf(host.kernel), { lan0: ['enp0s3', 'enx525400123456'] });
  });

  it('names links that come later, as they come, and looks at each once', async () => {
    const host = machine(CARDS);
    await using runtime = start(host);
    await runtime.settled();
    host.plug('eth2', { address: '52:54:00:00:00:03' });
    await runtime.advance(1_000);
    assert.deepEqual(linksOf(host.kernel)['enp0s5'], ['enx525400000003', 'eth2']);
    const operations = host.kernel.operations.length;
    host.kernel.lose();
    await runtime.advance(1_000);
    assert.equal(host.kernel.operations.length, operations);
  });

  it('takes a link down for its new name when the kernel wants that, and up again', async () => {
    const host = machine({ eth0: {} });
    const { index } = host.kernel.view.linkByName('eth0') ?? { index: 0 };
    await host.kernel.links.change(index, { up: true });
    host.kernel.refuse('name=enp0s3', 'EBUSY', 1);
    await using runtime = start(host);
    await runtime.settled();
    assert.deepEqual(host.kernel.operations.slice(1, 5), [
      'link.change eth0 name=enp0s3 !EBUSY',
      'link.change eth0 up=false',
      'link.change eth0 name=enp0s3',
      'link.change enp0s3 up=true',
    ]);
    assert.equal((host.kernel.view.linkByName('enp0s3')?.flags ?? 0) & 1, 1);
  });

  it('goes on with the others when the kernel refuses one, is ready, and tries that one again', async () => {
    const host = machine(CARDS);
    host.kernel.refuse('name=enp0s3', 'EPERM', 1);
    await using runtime = start(host);
    await runtime.settled();
    assert.deepEqual(Object.keys(linksOf(host.kernel)), ['eth0', 'enp0s4']);
    assert.deepEqual(runtime.specs(DevicesStatus), { devices: { ready: true } });
    await runtime.advance(1_000);
    assert.deepEqual(Object.keys(linksOf(host.kernel)), ['enp0s3', 'enp0s4']);
  });

  it('lets another link keep a further name', async () => {
    const host = machine({ eth0: { address: '52:54:00:00:00:01' }, eth1: { address: '52:54:00:00:00:01' } });
    await using runtime = start(host);
    await runtime.settled();
    assert.deepEqual(linksOf(host.kernel), { enp0s3: ['enx525400000001', 'eth0'], enp0s4: ['eth1'] });
  });

  it('takes the rules of the environment before those of the kernel arguments', async () => {
    const host = machine({ eth0: { phys_port_name: 'pf0vf3' } });
    await using runtime = start(host, { cmdline: 'net.naming_scheme=v257' }, 'v253');
    await runtime.settled();
    assert.deepEqual(Object.keys(linksOf(host.kernel)), ['enp0s3npf0vf3']);
  });

  it('takes the rules of the kernel arguments', async () => {
    const host = machine({ eth0: { phys_port_name: 'pf0vf3' } });
    await using runtime = start(host, { cmdline: 'net.naming_scheme=v253' });
    await runtime.settled();
    assert.deepEqual(Object.keys(linksOf(host.kernel)), ['enp0s3npf0vf3']);
  });
});
