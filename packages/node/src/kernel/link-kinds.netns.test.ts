import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { silentLog, systemClock, until } from '@bloomery/ports';
import type { Kernel, KernelLink } from './kernel.ts';
import { openKernel } from './open-kernel.ts';
import { enterPrivateNetwork, ip, ipJson } from './testing/private-network.ts';

const skip = await enterPrivateNetwork();

interface IpLink {
  readonly ifname: string;
  readonly master?: string;
  readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: Readonly<Record<string, unknown>> };
}

/** Why links of this kind cannot be tested here. */
function lacks(kind: string): string | false {
  if (skip !== false) return skip;
  try {
    const parts = kind === 'vrf' ? ['table', '9'] : [];
    // Not every link can carry a VLAN: lo cannot.
    if (kind === 'vlan') ip('link', 'add', 'trunk', 'type', 'veth', 'peer', 'name', 'trunk1');
    if (kind === 'vlan') ip('link', 'add', 'probe', 'link', 'trunk', 'type', 'vlan', 'id', '9');
    else ip('link', 'add', 'probe', 'type', kind, ...parts);
    ip('link', 'del', 'probe');
    return false;
  } catch {
    return `this kernel has no ${kind}`;
  } finally {
    if (kind === 'vlan') ip('link', 'del', 'trunk');
  }
}

describe('links of kinds that a kernel may lack', { skip }, () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'blm-kinds-'));
  let kernel: Kernel & AsyncDisposable;
  before(async () => {
    kernel = await openKernel({ clock: systemClock, log: silentLog, stateDir });
    for (const name of ['eth0', 'eth1']) {
      ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`);
      ip('link', 'set', `${name}p`, 'up');
    }
    await until('the cards are seen', () => kernel.view.linkByName('eth1p') !== undefined);
  });
  after(async () => {
    await kernel[Symbol.asyncDispose]();
    rmSync(stateDir, { recursive: true, force: true });
  });
  const link = (name: string): KernelLink => {
    const found = kernel.view.linkByName(name);
    assert.ok(found, `${name} is there`);
    return found;
  };
  const said = (name: string): IpLink['linkinfo'] => ipJson<IpLink>('-d', 'link', 'show', name)[0]?.linkinfo;

  it('bonds have the settings that they are given, and their members', { skip: lacks('bond') }, async () => {
    const bond = { mode: 4, miimon: 100, updelay: 200, lacpRate: 1, xmitHashPolicy: 1, adSelect: 1, minLinks: 1 };
    await kernel.links.create({ name: 'bond0', kind: 'bond', mtu: 1400, bond });
    const { index } = link('bond0');
    for (const name of ['eth0', 'eth1']) await kernel.links.change(link(name).index, { masterIndex: index });
    await kernel.links.change(index, { up: true });
    for (const [key, value] of Object.entries(bond)) assert.equal(link('bond0').bond?.[key], value, key);
    assert.equal(link('eth0').slaveKind, 'bond');
    const { mode, miimon, ad_lacp_rate, xmit_hash_policy } = said('bond0')?.info_data ?? {};
    assert.deepEqual([mode, miimon, ad_lacp_rate, xmit_hash_policy], ['802.3ad', 100, 'fast', 'layer3+4']);
    await kernel.links.change(index, { up: false });
    for (const name of ['eth0', 'eth1']) await kernel.links.change(link(name).index, { masterIndex: 0 });
    await kernel.links.change(index, {
      bond: { mode: 1, primary: 0, arpInterval: 500, miimon: 0, arpIpTargets: ['10.0.0.9'] },
    });
    assert.deepEqual([link('bond0').bond?.['mode'], link('bond0').bond?.['arpIpTargets']], [1, ['10.0.0.9']]);
    await kernel.links.change(link('eth0').index, { up: true });
    await assert.rejects(kernel.links.change(link('eth0').index, { masterIndex: index }), /EPERM|EINVAL|EBUSY/);
    await kernel.links.change(link('eth0').index, { up: false });
    await kernel.links.remove(index);
  });

  it('VLANs stand on their parent', { skip: lacks('vlan') }, async () => {
    const { index } = link('eth0');
    const vlan = { id: 5, protocol: 0x88a8 };
    await kernel.links.create({ name: 'eth0.5', kind: 'vlan', parentIndex: index, vlan });
    assert.deepEqual([link('eth0.5').vlan, link('eth0.5').linkIndex], [vlan, index]);
    assert.deepEqual([said('eth0.5')?.info_data?.['id'], said('eth0.5')?.info_data?.['protocol']], [5, '802.1ad']);
    await kernel.links.remove(link('eth0.5').index);
  });

  it('dummies and VRFs are made', { skip: lacks('dummy') || lacks('vrf') }, async () => {
    await kernel.links.create({ name: 'dummy7', kind: 'dummy', hardwareAddr: '02:00:00:00:00:07' });
    assert.deepEqual([link('dummy7').kind, link('dummy7').hardwareAddr], ['dummy', '02:00:00:00:00:07']);
    await kernel.links.create({ name: 'red', kind: 'vrf', vrf: { table: 1000 } });
    assert.deepEqual([link('red').vrf, said('red')?.info_data?.['table']], [{ table: 1000 }, 1000]);
    await kernel.links.change(link('dummy7').index, { masterIndex: link('red').index });
    assert.equal(link('dummy7').slaveKind, 'vrf');
    for (const name of ['dummy7', 'red']) await kernel.links.remove(link(name).index);
  });

  it('WireGuard of the kernel takes a thousand networks and peers, and tells them', {
    skip: lacks('wireguard'),
  }, async () => {
    await kernel.wireguard.create('wg7');
    assert.equal(ipJson<IpLink>('-d', 'link', 'show', 'wg7')[0]?.linkinfo?.info_kind, 'wireguard');
    const key = (n: number): string => {
      const bytes = Buffer.alloc(32, 7);
      bytes.writeUInt32LE(n);
      return bytes.toString('base64');
    };
    const peer = {
      remove: false,
      updateOnly: false,
      replaceAllowedIPs: true,
      keepaliveSeconds: 25,
      presharedKey: key(9),
    };
    const networks = Array.from({ length: 1000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
    const peers = [
      { ...peer, publicKey: key(1), endpoint: '[fd00::1]:51820', allowedIPs: networks },
      ...Array.from({ length: 300 }, (_, i) => ({ ...peer, publicKey: key(i + 10), allowedIPs: [`fd00:${i}::/64`] })),
    ];
    const privateKey = 'YEocP0e2o1WT5GlvBvQzVF7EeR6z9aCk+ZdZ5NKEuXA=';
    await kernel.wireguard.configure('wg7', { privateKey, listenPort: 51_999, firewallMark: 7, peers });
    const state = await kernel.wireguard.read('wg7');
    assert.deepEqual([state?.privateKey, state?.listenPort, state?.firewallMark], [privateKey, 51_999, 7]);
    assert.equal(state?.peers.length, 301);
    const first = state?.peers.find(({ publicKey }) => publicKey === key(1));
    assert.deepEqual([first?.endpoint, first?.keepaliveSeconds, first?.presharedKey], ['[fd00::1]:51820', 25, key(9)]);
    assert.deepEqual([...(first?.allowedIPs ?? [])].sort(), networks.toSorted());
    await kernel.wireguard.configure('wg7', {
      peers: [{ ...peer, publicKey: key(1), remove: true, allowedIPs: [] }],
    });
    assert.equal((await kernel.wireguard.read('wg7'))?.peers.length, 300);
    await kernel.links.remove(link('wg7').index);
  });
});
