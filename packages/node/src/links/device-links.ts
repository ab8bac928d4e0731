import type { Device, DeviceWireguard } from '../config/node-config.ts';
import type { LinkSpec } from '../resources/links.ts';
import { bondMaster } from './bond-master.ts';
import type { LinkDrafts, MasterKind } from './link-drafts.ts';
import type { LinkNames } from './link-names.ts';
import { vlanLinkName } from './vlan-link-name.ts';

/** What a name in the configuration may mean: links there are, with their indexes. */
export interface KnownLinks {
  readonly names: LinkNames;
  /** Index of a link under any of its names. */
  indexOf(name: string): number | undefined;
}

/** `machine.network.interfaces[]`, its selectors resolved, and where it stands. */
export interface PlacedDevice {
  readonly device: Device;
  readonly place: string;
}

/** The links that an interface of the v1alpha1 document asks for: itself, its VLANs, and what becomes its member. */
export function draftDevice({ device, place }: PlacedDevice, drafts: LinkDrafts, known: KnownLinks): void {
  if (device.ignore === true) return;
  const { bond, bridge, bridgePort, wireguard, mtu, vlans } = device;
  const isLogical = bond !== undefined || bridge !== undefined || wireguard !== undefined || device.dummy === true;
  const name = isLogical ? device.interface : known.names.resolve(device.interface);
  drafts.set(name, mtu === 0 ? {} : { mtu });
  if (bond !== undefined) drafts.set(name, bondFields(bond.options, known));
  if (bridge !== undefined) drafts.set(name, bridgeFields(bridge.stp ?? true, bridge.vlanFiltering));
  if (wireguard !== undefined) drafts.set(name, wireguardFields(wireguardSpec(wireguard)));
  if (device.dummy === true) drafts.set(name, logical('dummy'));
  for (const vlan of vlans) {
    const fields = vlanFields(name, vlan.vlanId, '802.1q');
    const own = vlan.mtu === 0 ? {} : { mtu: vlan.mtu };
    drafts.set(vlanLinkName(device.interface, vlan.vlanId), { ...fields, ...own });
  }
  if (bridgePort !== undefined) drafts.enslave(name, { kind: 'bridge', master: bridgePort.master, index: 0, place });
  const members: readonly [MasterKind, readonly string[]][] = [
    ['bond', bond?.interfaces ?? []],
    ['bridge', bridge?.interfaces ?? []],
  ];
  for (const [kind, interfaces] of members) {
    for (const [index, member] of interfaces.entries()) {
      drafts.enslave(known.names.resolve(member), { kind, master: name, index, place });
    }
  }
}

/** A link that exists in the kernel only because we make it. */
export const logical = (kind: string): Partial<LinkSpec> => ({ logical: true, kind, type: 'ether' });

/** @param options of an interface: `primary` is a name */
export function bondFields(options: Readonly<Record<string, unknown>>, known: KnownLinks): Partial<LinkSpec> {
  const { primary } = options;
  const index = typeof primary === 'string' ? known.indexOf(primary) : undefined;
  return { ...logical('bond'), bondMaster: bondMaster(options, index ?? 0) };
}

export const bridgeFields = (stp = false, filteringEnabled = false): Partial<LinkSpec> => ({
  ...logical('bridge'),
  bridgeMaster: { stp: { enabled: stp }, vlan: { filteringEnabled } },
});

export const vlanFields = (
  parentName: string,
  vlanID: number,
  vlanProtocol: LinkSpec['vlan']['vlanProtocol'],
): Partial<LinkSpec> => ({ ...logical('vlan'), up: true, parentName, vlan: { vlanID, vlanProtocol } });

/** WireGuard links have no layer 2: their type is ARPHRD_NONE. */
export const wireguardFields = (wireguard: LinkSpec['wireguard']): Partial<LinkSpec> => ({
  logical: true,
  kind: 'wireguard',
  type: 'nohdr',
  wireguard,
});

/** The public key of the device is not part of its spec: the kernel tells it. */
export const wireguardSpec = (wireguard: DeviceWireguard): LinkSpec['wireguard'] => ({
  privateKey: wireguard.privateKey,
  publicKey: '',
  listenPort: wireguard.listenPort,
  firewallMark: wireguard.firewallMark,
  peers: wireguard.peers.map((peer) => ({
    publicKey: peer.publicKey,
    presharedKey: peer.presharedKey ?? '',
    endpoint: peer.endpoint,
    persistentKeepaliveInterval: peer.persistentKeepaliveMs,
    allowedIPs: peer.allowedIPs,
  })),
});
