import type { BloomeryError } from '@bloomery/ports';
import type { KernelLink, LinkDetails } from '../kernel.ts';
import { errnoNumber, kernelRefused } from '../kernel-error.ts';
import type { LiveView } from '../live-view.ts';
import { otherEnd } from '../other-end.ts';

export const IFF_UP = 0x1;
export const IFF_BROADCAST = 0x2;
export const IFF_LOOPBACK = 0x8;
export const IFF_POINTOPOINT = 0x10;
export const IFF_RUNNING = 0x40;
export const IFF_NOARP = 0x80;
export const IFF_MASTER = 0x400;
export const IFF_SLAVE = 0x800;
export const IFF_MULTICAST = 0x1000;
export const IFF_LOWER_UP = 0x1_0000;
export const OPER_DOWN = 2;
export const OPER_LOWER_LAYER_DOWN = 3;
export const OPER_UP = 6;

/** What a simulated kernel knows of its host beside what the view shows. */
export interface SimulatedHost {
  readonly view: LiveView;
  /** Whether a cable is in it; of hardware and veth. */
  readonly carriers: Map<number, boolean>;
  readonly details: Map<number, LinkDetails>;
  /** Index of the other end of a veth. */
  readonly peers: Map<number, number>;
  /** The link with this index. @throws ENODEV */
  link(what: string, index: number): KernelLink;
  nextIndex(): number;
}

/** A host with the links of the view. Whether a cable is in a link that is down cannot be seen: it is. */
export function createSimulatedHost(view: LiveView): SimulatedHost {
  const up = view.links.values().filter(({ flags }) => (flags & IFF_UP) !== 0);
  const paired = view.links.values().filter((link) => otherEnd(link, view.links) !== undefined);
  let lastIndex = Math.max(1, ...view.links.keys());
  return {
    view,
    carriers: new Map(up.map(({ index, flags }) => [index, (flags & IFF_LOWER_UP) !== 0])),
    details: new Map(),
    peers: new Map(paired.map(({ index, linkIndex }) => [index, linkIndex])),
    link: (what, index) => {
      const link = view.links.get(index);
      if (link === undefined) throw refusal(what, 'ENODEV');
      return link;
    },
    nextIndex: () => ++lastIndex,
  };
}

/** The error of what the kernel refuses. */
export function refusal(what: string, errno: string, words = ''): BloomeryError {
  return kernelRefused(what, { errno: errnoNumber(errno), words });
}

/** How a link is named in operations and refusals. */
export function nameOf(host: SimulatedHost, index: number): string {
  return host.view.links.get(index)?.name ?? `link ${index}`;
}

/** Whether it can carry packets, were it up. */
function hasCarrier(host: SimulatedHost, link: KernelLink): boolean {
  const isUp = (index: number): boolean => ((host.view.links.get(index)?.flags ?? 0) & IFF_UP) !== 0;
  const runs = (index: number): boolean => ((host.view.links.get(index)?.flags ?? 0) & IFF_LOWER_UP) !== 0;
  const peer = host.peers.get(link.index);
  if (peer !== undefined) return isUp(peer);
  if (link.kind === 'vlan') return runs(link.linkIndex);
  if (link.kind === 'bond' || link.kind === 'bridge')
    return [...host.view.links.values()].some(({ masterIndex, index }) => masterIndex === link.index && runs(index));
  return host.carriers.get(link.index) ?? true;
}

/** Work out what follows from up, cables and slaves, for this link and for those that stand on it. */
export function settle(host: SimulatedHost, index: number): void {
  const link = host.view.links.get(index);
  if (link === undefined) return;
  const isUp = (link.flags & IFF_UP) !== 0;
  const carries = isUp && hasCarrier(host, link);
  const base = link.flags & ~(IFF_RUNNING | IFF_LOWER_UP);
  const flags = carries ? base | IFF_RUNNING | IFF_LOWER_UP : base;
  const operationalState = operState(link, isUp, carries);
  if (flags === link.flags && operationalState === link.operationalState) return;
  host.view.putLink({ ...link, flags, operationalState });
  for (const other of [...host.view.links.values()]) {
    const standsOn = other.kind === 'vlan' && other.linkIndex === index;
    if (standsOn || other.index === link.masterIndex || host.peers.get(index) === other.index)
      settle(host, other.index);
  }
}

function operState(link: KernelLink, isUp: boolean, carries: boolean): number {
  const isUnknown = link.type === 772 || link.kind === 'dummy' || link.kind === 'wireguard';
  if (!isUp) return link.type === 772 ? 0 : OPER_DOWN;
  if (isUnknown) return 0;
  if (carries) return OPER_UP;
  return link.kind === 'veth' || link.kind === 'vlan' ? OPER_LOWER_LAYER_DOWN : OPER_DOWN;
}
