import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createFakeKernel, type FakeKernel } from '../testing/fake-kernel/fake-kernel.ts';
import type { KernelRoute } from './kernel.ts';
import { errnoNumber, kernelRefused } from './kernel-error.ts';
import { linuxAddresses, linuxLinks, linuxRoutes } from './linux-changes.ts';

const REPLACE = 0x100;

describe('changes of links', () => {
  let kernel: FakeKernel;
  let asked: string[];
  let refused: string | undefined;
  const send = async (what: string): Promise<void> => {
    asked.push(what);
    if (refused !== undefined && what.startsWith(refused)) throw kernelRefused(what, { errno: errnoNumber('EBUSY') });
  };
  const look = async (index: number): Promise<void> => void asked.push(`looking at ${index}`);
  beforeEach(() => {
    kernel = createFakeKernel();
    kernel.plug({ name: 'eth0', index: 2 });
    kernel.plug({ name: 'br0', kind: 'bridge', index: 3 });
    asked = [];
    refused = undefined;
  });
  const links = () => linuxLinks({ view: kernel.view, send, look });

  it('are one request each, so that a refusal names its setting: what is taken away first, and then up', async () => {
    await links().change(2, {
      ...{ up: true, mtu: 1400, hardwareAddr: '02:00:00:00:00:01', multicast: false, masterIndex: 3, name: 'wan0' },
      ...{ alias: 'up link', addAltNames: ['a', 'b'], removeAltNames: ['c'], bond: { mode: 1 }, bridge: { stp: true } },
    });
    assert.deepEqual(asked, [
      'setting the address of eth0 to 02:00:00:00:00:01',
      'setting the MTU of eth0 to 1400',
      'renaming eth0 to wan0',
      'setting the alias of eth0 to "up link"',
      'taking eth0 the alternative name c',
      'giving eth0 the alternative name a',
      'giving eth0 the alternative name b',
      'changing the bond eth0',
      'changing the bridge eth0',
      'switching multicast of eth0 off',
      'enslaving eth0 to br0',
      'bringing eth0 up',
      'looking at 2',
    ]);
  });

  it('bring it down before anything else, and end with the first refusal', async () => {
    refused = 'setting the MTU';
    await assert.rejects(links().change(2, { up: false, mtu: 10, masterIndex: 0 }), {
      message: 'setting the MTU of eth0 to 10: EBUSY Device or resource busy',
    });
    assert.deepEqual(asked, ['bringing eth0 down', 'setting the MTU of eth0 to 10']);
    await links().change(2, { masterIndex: 0 });
    assert.deepEqual(asked.slice(2), ['releasing eth0 from its master', 'looking at 2']);
  });

  it('name a link that is gone by its number', async () => {
    await links().change(7, { mtu: 1400, masterIndex: 8 });
    assert.deepEqual(asked, ['setting the MTU of link 7 to 1400', 'enslaving link 7 to link 8', 'looking at 7']);
  });
});

describe('changes of addresses', () => {
  let kernel: FakeKernel;
  let asked: string[];
  /** How often the link was told to keep later addresses. */
  let kept: number;
  const put = (address: string, flags = 0): Promise<void> =>
    kernel.addresses.put({ linkIndex: 2, address, scope: 0, flags, priority: 0 });
  const addresses = () =>
    linuxAddresses({
      view: kernel.view,
      send: async (what) => void asked.push(what),
      keepSecondaries: async (_, act) => {
        kept++;
        await act();
      },
      announce: async () => {},
    });
  beforeEach(async () => {
    kernel = createFakeKernel();
    kernel.plug({ name: 'eth0', index: 2 });
    asked = [];
    kept = 0;
    await put('10.0.0.1/24');
  });

  it('say whether an address is added or changed', async () => {
    const one = { linkIndex: 2, address: '10.0.0.1/24', scope: 0, flags: 0, priority: 9 };
    await addresses().put(one);
    await addresses().put({ ...one, address: '10.0.0.2/24' });
    assert.deepEqual(asked, ['changing 10.0.0.1/24 on eth0', 'adding 10.0.0.2/24 to eth0']);
  });

  it('keep the later ones of a network when its first goes, and only then', async () => {
    await put('10.0.1.5/24', 1);
    await addresses().remove(2, '10.0.0.1/24');
    assert.deepEqual([asked, kept], [['removing 10.0.0.1/24 from eth0'], 0]);
    await put('10.0.0.5/24', 1);
    await addresses().remove(2, '10.0.0.5/24');
    assert.equal(kept, 0);
    await addresses().remove(2, '10.0.0.1/24');
    assert.equal(kept, 1);
  });

  it('put back those that a kernel took all the same', async () => {
    await put('10.0.0.5/24', 1);
    const all = linuxAddresses({
      view: kernel.view,
      send: async (what) => void asked.push(what),
      keepSecondaries: async (_, act) => {
        await act();
        for (const address of ['10.0.0.1/24', '10.0.0.5/24']) await kernel.addresses.remove(2, address);
      },
      announce: async () => {},
    });
    await all.remove(2, '10.0.0.1/24');
    assert.deepEqual(asked, ['removing 10.0.0.1/24 from eth0', 'putting 10.0.0.5/24 back on eth0']);
  });
});

describe('changes of routes', () => {
  it('replace the same route only, and never another one of its place', async () => {
    const kernel = createFakeKernel();
    const flags: number[] = [];
    const routes = linuxRoutes({
      view: kernel.view,
      send: async (_, request) => void flags.push(Buffer.from(request).readUInt16LE(6) & REPLACE),
    });
    const route: KernelRoute = {
      ...{ family: 2, destination: '10.9.0.0/16', source: '', gateway: '', outLinkIndex: 0, table: 254 },
      ...{ priority: 0, scope: 0, type: 6, flags: 0, protocol: 4, mtu: 0 },
    };
    await kernel.routes.put(route);
    await routes.put(route);
    await routes.put({ ...route, type: 7 });
    assert.deepEqual(flags, [REPLACE, 0]);
  });
});
