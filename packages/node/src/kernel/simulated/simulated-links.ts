import type { KernelBond, KernelLink, KernelLinks, LinkChange, NewLink } from '../kernel.ts';
import { addressKey, routeKey } from '../kernel-keys.ts';
import { dropRoutesOfDownLink } from '../silent-routes.ts';
import { connectRoute } from './simulated-addresses.ts';
import {
  IFF_BROADCAST,
  IFF_MASTER,
  IFF_MULTICAST,
  IFF_NOARP,
  IFF_POINTOPOINT,
  IFF_SLAVE,
  IFF_UP,
  nameOf,
  OPER_DOWN,
  refusal,
  type SimulatedHost,
  settle,
} from './simulated-host.ts';

const ETHER = 1;
const NONE = 65_534;
const KINDS: ReadonlySet<string> = new Set(['bond', 'vlan', 'bridge', 'dummy', 'wireguard', 'veth', 'vrf']);
/** What the kernel begins a bond with. */
const BOND_DEFAULTS: KernelBond = {
  mode: 0,
  xmitHashPolicy: 0,
  lacpRate: 0,
  arpValidate: 0,
  arpAllTargets: 0,
  primaryReselect: 0,
  failOverMac: 0,
  adSelect: 0,
  miimon: 0,
  updelay: 0,
  downdelay: 0,
  arpInterval: 0,
  resendIgmp: 1,
  minLinks: 0,
  lpInterval: 1,
  packetsPerSlave: 1,
  numPeerNotif: 1,
  tlbLogicalLb: 1,
  allSlavesActive: 0,
  useCarrier: 1,
  adActorSysPrio: 65_535,
  adUserPortKey: 0,
  peerNotifyDelay: 0,
  arpIpTargets: [],
  nsIp6Targets: [],
  adLacpActive: 1,
  missedMax: 2,
};

/** Links that behave as the kernel's do. */
export function simulatedLinks(host: SimulatedHost): KernelLinks {
  return {
    create: async (link) => create(host, link),
    remove: async (index) => remove(host, index),
    change: async (index, change) => changeLink(host, index, change),
  };
}

/** Put a link with these into the view; what is not given is as of a network card that is down. */
export function addLink(host: SimulatedHost, link: Partial<KernelLink> & { readonly name: string }): KernelLink {
  const index = link.index ?? host.nextIndex();
  const tail = [index >> 8, index & 0xff].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
  const added: KernelLink = {
    type: ETHER,
    flags: IFF_BROADCAST | IFF_MULTICAST,
    mtu: 1500,
    hardwareAddr: `52:54:00:00:${tail}`,
    permanentAddr: '',
    broadcastAddr: 'ff:ff:ff:ff:ff:ff',
    queueDisc: 'noop',
    masterIndex: 0,
    linkIndex: 0,
    operationalState: OPER_DOWN,
    kind: '',
    slaveKind: '',
    alias: '',
    altNames: [],
    ...link,
    index,
  };
  host.view.putLink(added);
  return added;
}

function create(host: SimulatedHost, link: NewLink): void {
  const what = `creating ${link.name} (${link.kind})`;
  checkName(host, what, link.name);
  if (!KINDS.has(link.kind)) throw refusal(what, 'EOPNOTSUPP', 'Unknown device type');
  const { name, kind } = link;
  const common = {
    name,
    kind,
    ...(link.hardwareAddr === undefined ? {} : { hardwareAddr: link.hardwareAddr }),
    ...(link.mtu === undefined ? {} : { mtu: link.mtu }),
  };
  if (kind === 'vlan') createVlan(host, what, link, common);
  else if (kind === 'veth') createVeth(host, what, link, common);
  else addLink(host, { ...kindDefaults(link), ...common });
}

function kindDefaults(link: NewLink): Partial<KernelLink> {
  const flags = IFF_BROADCAST | IFF_MULTICAST;
  switch (link.kind) {
    case 'bond':
      return { flags: flags | IFF_MASTER, bond: { ...BOND_DEFAULTS, ...link.bond } };
    case 'bridge':
      return { bridge: { stp: link.bridge?.stp ?? false, vlanFiltering: link.bridge?.vlanFiltering ?? false } };
    case 'dummy':
      return { flags: IFF_BROADCAST | IFF_NOARP };
    case 'vrf':
      return { flags: IFF_NOARP | IFF_MASTER, mtu: 65_575, vrf: { table: link.vrf?.table ?? 0 } };
    case 'wireguard':
      return { type: NONE, flags: IFF_POINTOPOINT | IFF_NOARP, mtu: 1420, hardwareAddr: '', broadcastAddr: '' };
    default:
      return {};
  }
}

function createVlan(
  host: SimulatedHost,
  what: string,
  link: NewLink,
  common: Partial<KernelLink> & { name: string },
): void {
  const parent = host.view.links.get(link.parentIndex ?? 0);
  const vlan = link.vlan;
  if (parent === undefined || vlan === undefined) throw refusal(what, 'ENODEV', 'link not specified');
  const isSame = (other: KernelLink): boolean =>
    other.linkIndex === parent.index && other.vlan?.id === vlan.id && other.vlan.protocol === vlan.protocol;
  if ([...host.view.links.values()].some(isSame)) throw refusal(what, 'EEXIST', 'VLAN device already exists');
  const { mtu, hardwareAddr } = parent;
  addLink(host, { mtu, hardwareAddr, linkIndex: parent.index, vlan, ...common });
}

function createVeth(
  host: SimulatedHost,
  what: string,
  link: NewLink,
  common: Partial<KernelLink> & { name: string },
): void {
  const peerName = link.veth?.peerName ?? `veth${host.view.links.size}`;
  checkName(host, what, peerName);
  const peer = addLink(host, { name: peerName, kind: 'veth' });
  const own = addLink(host, { ...common, linkIndex: peer.index });
  host.view.putLink({ ...peer, linkIndex: own.index });
  host.peers.set(own.index, peer.index);
  host.peers.set(peer.index, own.index);
}

function checkName(host: SimulatedHost, what: string, name: string): void {
  if (name === '' || Buffer.byteLength(name) > 15 || /[/:\s]/.test(name)) throw refusal(what, 'EINVAL');
  if (isTaken(host, name)) throw refusal(what, 'EEXIST');
}

function isTaken(host: SimulatedHost, name: string): boolean {
  return [...host.view.links.values()].some((link) => link.name === name || link.altNames.includes(name));
}

function remove(host: SimulatedHost, index: number): void {
  const link = host.link(`removing link ${index}`, index);
  if (link.kind === '') throw refusal(`removing ${link.name}`, 'EOPNOTSUPP');
  dropLink(host, index);
}

/** With what stands on it; slaves are released. */
export function dropLink(host: SimulatedHost, index: number): void {
  const peer = host.peers.get(index);
  for (const other of [...host.view.links.values()]) {
    if (other.masterIndex === index) release(host, other);
    if (other.kind === 'vlan' && other.linkIndex === index) dropLink(host, other.index);
  }
  const master = host.view.links.get(index)?.masterIndex ?? 0;
  host.view.dropLink(index);
  host.peers.delete(index);
  host.carriers.delete(index);
  host.details.delete(index);
  settle(host, master);
  if (peer !== undefined && host.view.links.has(peer)) {
    host.peers.delete(peer);
    dropLink(host, peer);
  }
}

function changeLink(host: SimulatedHost, index: number, change: LinkChange): void {
  const what = `changing ${nameOf(host, index)}`;
  const now = (): KernelLink => host.link(what, index);
  if (change.up === false) setUp(host, what, now(), false);
  if (change.mtu !== undefined) {
    checkMtu(now(), change.mtu);
    host.view.putLink({ ...now(), mtu: change.mtu });
  }
  if (change.hardwareAddr !== undefined) host.view.putLink({ ...now(), hardwareAddr: change.hardwareAddr });
  if (change.name !== undefined && change.name !== now().name) {
    checkName(host, what, change.name);
    host.view.putLink({ ...now(), name: change.name });
  }
  if (change.alias !== undefined) host.view.putLink({ ...now(), alias: change.alias });
  changeAltNames(host, what, index, change);
  if (change.multicast !== undefined) setFlag(host, index, IFF_MULTICAST, change.multicast);
  if (change.bond !== undefined) changeBond(host, what, now(), change.bond);
  const { bridge } = now();
  if (change.bridge !== undefined && bridge !== undefined)
    host.view.putLink({ ...now(), bridge: { ...bridge, ...change.bridge } });
  if (change.masterIndex !== undefined && change.masterIndex !== now().masterIndex)
    enslave(host, what, now(), change.masterIndex);
  if (change.up === true) setUp(host, what, now(), true);
}

/** Of most drivers. */
function checkMtu({ name }: KernelLink, mtu: number): void {
  const what = `setting the MTU of ${name} to ${mtu}`;
  if (mtu < 68) throw refusal(what, 'EINVAL', 'mtu less than device minimum');
  if (mtu > 65_575) throw refusal(what, 'EINVAL', 'mtu greater than device maximum');
}

function changeAltNames(host: SimulatedHost, what: string, index: number, change: LinkChange): void {
  for (const name of change.removeAltNames ?? []) {
    const link = host.link(what, index);
    if (!link.altNames.includes(name)) throw refusal(what, 'ENOENT');
    host.view.putLink({ ...link, altNames: link.altNames.filter((other) => other !== name) });
  }
  for (const name of change.addAltNames ?? []) {
    const link = host.link(what, index);
    if (isTaken(host, name)) throw refusal(what, 'EEXIST');
    host.view.putLink({ ...link, altNames: [...link.altNames, name] });
  }
}

function setFlag(host: SimulatedHost, index: number, flag: number, on: boolean): void {
  const link = host.link('changing flags', index);
  const flags = on ? link.flags | flag : link.flags & ~flag;
  if (flags !== link.flags) host.view.putLink({ ...link, flags });
}

function setUp(host: SimulatedHost, what: string, link: KernelLink, up: boolean): void {
  if (((link.flags & IFF_UP) !== 0) === up) return;
  const parent = link.kind === 'vlan' ? host.view.links.get(link.linkIndex) : undefined;
  if (up && parent !== undefined && (parent.flags & IFF_UP) === 0) throw refusal(what, 'ENETDOWN');
  setFlag(host, link.index, IFF_UP, up);
  settle(host, link.index);
  const peer = host.peers.get(link.index);
  if (peer !== undefined) settle(host, peer);
  if (link.masterIndex !== 0) settle(host, link.masterIndex);
  if (up) {
    for (const address of host.view.addressesOfLink(link.index)) connectRoute(host, address);
    return;
  }
  for (const other of [...host.view.links.values()])
    if (other.kind === 'vlan' && other.linkIndex === link.index) setUp(host, what, other, false);
  for (const address of host.view.addressesOfLink(link.index))
    if (address.family === 10) host.view.dropAddress(addressKey(address));
  dropRoutesOfDownLink(host.view, link.index);
  for (const route of host.view.routesOfLink(link.index)) if (route.family === 10) host.view.dropRoute(routeKey(route));
}

function changeBond(host: SimulatedHost, what: string, link: KernelLink, bond: KernelBond): void {
  if (link.bond === undefined) throw refusal(what, 'EOPNOTSUPP');
  const hasSlaves = [...host.view.links.values()].some((other) => other.masterIndex === link.index);
  if (bond['mode'] !== undefined && bond['mode'] !== link.bond['mode']) {
    if (hasSlaves) throw refusal(what, 'ENOTEMPTY', 'unable to set option because the bond device has slaves');
    if ((link.flags & IFF_UP) !== 0) throw refusal(what, 'EBUSY', 'unable to set option because the bond device is up');
  }
  host.view.putLink({ ...link, bond: { ...link.bond, ...bond } });
}

function enslave(host: SimulatedHost, what: string, link: KernelLink, masterIndex: number): void {
  if (link.masterIndex !== 0) release(host, link);
  if (masterIndex === 0) return;
  const master = host.link(what, masterIndex);
  const isBond = master.kind === 'bond';
  if (!isBond && master.kind !== 'bridge' && master.kind !== 'vrf')
    throw refusal(what, 'EOPNOTSUPP', 'Device does not allow enslaving');
  if (isBond && (link.flags & IFF_UP) !== 0) throw refusal(what, 'EPERM', 'Device can not be enslaved while up');
  const isFirst = ![...host.view.links.values()].some((other) => other.masterIndex === masterIndex);
  if (isBond && isFirst) host.view.putLink({ ...master, hardwareAddr: link.hardwareAddr });
  const { hardwareAddr } = host.link(what, masterIndex);
  host.view.putLink({
    ...link,
    masterIndex,
    slaveKind: master.kind,
    // The kernel brings slaves of a bond up, with the bond's address.
    ...(isBond ? { hardwareAddr, flags: link.flags | IFF_SLAVE | IFF_UP } : {}),
  });
  settle(host, link.index);
  settle(host, masterIndex);
}

function release(host: SimulatedHost, link: KernelLink): void {
  const master = link.masterIndex;
  const isBond = link.slaveKind === 'bond';
  const flags = isBond ? link.flags & ~(IFF_SLAVE | IFF_UP) : link.flags;
  const hardwareAddr = isBond && link.permanentAddr !== '' ? link.permanentAddr : link.hardwareAddr;
  host.view.putLink({ ...link, masterIndex: 0, slaveKind: '', flags, hardwareAddr });
  settle(host, link.index);
  settle(host, master);
}
