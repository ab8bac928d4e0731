import { findLink } from '../kernel/find-link.ts';
import type { KernelBond, KernelLink, KernelView, LinkChange, NewLink } from '../kernel/kernel.ts';
import { otherEnd } from '../kernel/other-end.ts';
import { LINK_FLAGS, LINK_TYPE, ROUTING_TABLE, VLAN_PROTOCOL } from '../resources/enumerations.ts';
import type { LinkSpec } from '../resources/links.ts';
import { numberOf } from '../resources/number-of.ts';
import { isBondDifferent, kernelBond } from './kernel-bond.ts';

/** What of the kernel is looked at. */
export type LinkView = Pick<KernelView, 'links' | 'linkByName'>;

/** The next thing to do so that a link becomes as its spec says. */
export type LinkStep =
  | { readonly do: 'nothing' }
  /** Something else has to happen first; it will be told of by the kernel. */
  | { readonly do: 'wait'; readonly reason: string }
  /** A person must act. */
  | { readonly do: 'refuse'; readonly reason: string }
  | { readonly do: 'create'; readonly link: NewLink }
  | { readonly do: 'createWireguard'; readonly name: string }
  | { readonly do: 'remove'; readonly index: number; readonly reason: string }
  | { readonly do: 'change'; readonly index: number; readonly change: LinkChange };

export interface LinkPlanning {
  readonly view: LinkView;
  /** Whether a link has a spec of its own, perhaps one that goes, by the kernel's name. */
  readonly isOurs: (name: string) => boolean;
  /** Specs that do not go. */
  readonly staying: readonly LinkSpec[];
}

/** What leaving links are judged by. */
export interface LeavePlanning extends LinkPlanning {
  /** Whether the daemon has made the link with this index. */
  readonly isMade: (index: number) => boolean;
}

/** Looks at one aspect; undefined: it is as it should be. */
type Aspect = (spec: LinkSpec, link: KernelLink, planning: LinkPlanning) => LinkStep | undefined;

const NOTHING: LinkStep = { do: 'nothing' };

/**
 * Decide the next step for one link that shall be there. Pure; called again after each step until there is nothing to do. WireGuard's
 * own settings are not of the link: see `wireguardPatch`.
 *
 * @see spec/node.md section 4
 */
export function planLink(spec: LinkSpec, planning: LinkPlanning): LinkStep {
  const link = presentLink(spec, planning.view);
  if (link === undefined) return planCreation(spec, planning.view);
  for (const aspect of ASPECTS) {
    const step = aspect(spec, link, planning);
    if (step !== undefined) return step;
  }
  return NOTHING;
}

/**
 * Decide the next step for a link whose spec goes: what we made is removed, what was there before and hardware is only released from its
 * master, unless another spec, under another of its names, has it there.
 */
export function planLeaving(spec: LinkSpec, planning: LeavePlanning): LinkStep {
  const { view, isOurs, isMade } = planning;
  const link = presentLink(spec, view);
  if (link === undefined || (spec.logical && !isOfKind(spec, link))) return NOTHING;
  if (spec.logical && isMade(link.index)) return { do: 'remove', index: link.index, reason: 'not wanted any more' };
  const master = view.links.get(link.masterIndex)?.name ?? '';
  // An earlier spec may have had it in a master of ours that the last one could not take it out of.
  const isGiven = master !== '' && (master === masterOf(spec) || isOurs(master));
  if (!isGiven || isMember(link, master, planning)) return NOTHING;
  return { do: 'change', index: link.index, change: { masterIndex: 0 } };
}

/** Whether a spec, perhaps under another name of the link, has it in this master. */
const isMember = (link: KernelLink, master: string, { view, staying }: LinkPlanning): boolean =>
  staying.some((spec) => masterOf(spec) === master && presentLink(spec, view) === link);

/** The link that a spec speaks of. Links that we make have no other names. */
export function presentLink({ name, logical }: LinkSpec, view: LinkView): KernelLink | undefined {
  return logical ? view.linkByName(name) : findLink(view, name);
}

/** The name of the master that a spec wants; empty: none. */
export const masterOf = ({ bondSlave, bridgeSlave, vrfSlave }: LinkSpec): string =>
  bondSlave.masterName || bridgeSlave.masterName || vrfSlave.masterName;

const has = ({ flags }: KernelLink, flag: keyof typeof LINK_FLAGS): boolean => (flags & LINK_FLAGS[flag]) !== 0;

function planCreation(spec: LinkSpec, view: LinkView): LinkStep {
  const { name, kind, parentName, hardwareAddr } = spec;
  if (!spec.logical) return { do: 'wait', reason: `waits for link ${name}: there is none of this name` };
  if (kind === 'wireguard') return { do: 'createWireguard', name };
  const parent = findLink(view, parentName);
  if (parentName !== '' && parent === undefined) {
    return { do: 'wait', reason: `waits for its parent ${parentName}: there is no such link` };
  }
  return {
    do: 'create',
    link: {
      name,
      kind,
      ...(hardwareAddr === '' ? {} : { hardwareAddr }),
      ...(parent === undefined ? {} : { parentIndex: parent.index }),
      ...kindSettings(spec),
    },
  };
}

function kindSettings(spec: LinkSpec): Partial<NewLink> {
  switch (spec.kind) {
    case 'vlan':
      return { vlan: kernelVlan(spec) };
    case 'bond':
      return { bond: kernelBond(spec.bondMaster) };
    case 'bridge':
      return { bridge: kernelBridge(spec) };
    case 'vrf':
      return { vrf: { table: tableOf(spec) } };
    case 'veth':
      return spec.veth.peerName === '' ? {} : { veth: { peerName: spec.veth.peerName } };
    default:
      return {};
  }
}

const kernelVlan = ({
  vlan: { vlanID, vlanProtocol },
}: LinkSpec): { readonly id: number; readonly protocol: number } => ({
  id: vlanID,
  protocol: numberOf(VLAN_PROTOCOL, vlanProtocol),
});

type BridgeOptions = { readonly stp: boolean; readonly vlanFiltering: boolean };

/** What differs from what is there: a kernel without VLAN filtering refuses to hear of it at all, also that it is off. */
function kernelBridge(
  { bridgeMaster: { stp, vlan } }: LinkSpec,
  present: BridgeOptions = { stp: false, vlanFiltering: false },
): Partial<BridgeOptions> {
  return {
    ...(stp.enabled === present.stp ? {} : { stp: stp.enabled }),
    ...(vlan.filteringEnabled === present.vlanFiltering ? {} : { vlanFiltering: vlan.filteringEnabled }),
  };
}

const tableOf = (spec: LinkSpec): number => numberOf(ROUTING_TABLE, spec.vrfMaster.table);

/** Bonds take the type of their first member. */
const isOfKind = (spec: LinkSpec, link: KernelLink): boolean =>
  link.kind === spec.kind && (spec.kind === 'bond' || link.type === numberOf(LINK_TYPE, spec.type));

const kind: Aspect = (spec, link) => {
  if (!spec.logical || isOfKind(spec, link)) return undefined;
  if (link.kind === '')
    return { do: 'refuse', reason: `cannot make ${spec.kind} ${spec.name}: hardware has this name` };
  return { do: 'remove', index: link.index, reason: `is of kind ${link.kind}, not ${spec.kind}` };
};

/** What the kernel cannot change in a link that is there. */
const fixedSettings: Aspect = (spec, link, { view }) => {
  const again = (reason: string): LinkStep => ({ do: 'remove', index: link.index, reason });
  if (spec.kind === 'vlan') {
    const { id, protocol } = kernelVlan(spec);
    if (link.vlan?.id !== id || link.vlan.protocol !== protocol) return again('VLAN id or protocol differs');
    const parent = findLink(view, spec.parentName);
    return parent !== undefined && parent.index !== link.linkIndex ? again('parent differs') : undefined;
  }
  if (spec.kind === 'vrf') return link.vrf?.table === tableOf(spec) ? undefined : again('routing table differs');
  if (spec.kind !== 'veth' || spec.veth.peerName === '') return undefined;
  const peer = otherEnd(link, view.links);
  return peer !== undefined && peer.name !== spec.veth.peerName ? again('peer differs') : undefined;
};

/** Most settings of a bond can be changed only while it is down and has no members. They come back by their own specs. */
const bond: Aspect = (spec, link, { view }) => {
  if (spec.kind !== 'bond' || link.bond === undefined) return undefined;
  const wanted: KernelBond = kernelBond(spec.bondMaster, link.bond);
  const { primary, ...others } = wanted;
  if (!isBondDifferent(others, link.bond)) return bondPrimary(primary, link, view);
  if (has(link, 'UP')) return { do: 'change', index: link.index, change: { up: false } };
  const member = [...view.links.values()].find(({ masterIndex }) => masterIndex === link.index);
  return member === undefined
    ? { do: 'change', index: link.index, change: { bond: wanted } }
    : { do: 'change', index: member.index, change: { masterIndex: 0 } };
};

/** Of members only, and in place: a card that appears after its bond is made its primary without a moment without the others. */
function bondPrimary(
  primary: KernelBond[string] | undefined,
  link: KernelLink,
  { links }: LinkView,
): LinkStep | undefined {
  if (typeof primary !== 'number' || primary === link.bond?.['primary']) return undefined;
  if (links.get(primary)?.masterIndex !== link.index) return undefined;
  return { do: 'change', index: link.index, change: { bond: { primary } } };
}

const bridge: Aspect = (spec, { index, bridge: present }) => {
  if (spec.kind !== 'bridge' || present === undefined) return undefined;
  const wanted = kernelBridge(spec, present);
  return Object.keys(wanted).length === 0 ? undefined : { do: 'change', index, change: { bridge: wanted } };
};

const up: Aspect = (spec, link, { view }) => {
  if (has(link, 'UP') === spec.up) return undefined;
  // A bond takes its members while they are down, and brings them up.
  if (spec.up && awaitsBond(spec, link, view)) return undefined;
  const parent = spec.kind === 'vlan' ? view.links.get(link.linkIndex) : undefined;
  if (spec.up && parent !== undefined && !has(parent, 'UP')) {
    return { do: 'wait', reason: `waits for its parent ${parent.name} to be up` };
  }
  return { do: 'change', index: link.index, change: { up: spec.up } };
};

const mtu: Aspect = (spec, link) =>
  spec.mtu === 0 || spec.mtu === link.mtu ? undefined : { do: 'change', index: link.index, change: { mtu: spec.mtu } };

const hardwareAddr: Aspect = ({ hardwareAddr: wanted }, link) => {
  // Members of a bond have the bond's.
  if (wanted === '' || wanted === link.hardwareAddr || link.slaveKind === 'bond') return undefined;
  return { do: 'change', index: link.index, change: { hardwareAddr: wanted } };
};

const multicast: Aspect = (spec, link) =>
  spec.multicast === undefined || spec.multicast === has(link, 'MULTICAST')
    ? undefined
    : { do: 'change', index: link.index, change: { multicast: spec.multicast } };

const master: Aspect = (spec, link, planning) => {
  const { view, isOurs } = planning;
  const wanted = masterOf(spec);
  const present = view.links.get(link.masterIndex);
  if (wanted === '') {
    // Who is a member of a master that is not ours, is so by somebody else's will.
    const isLeft = present !== undefined && isOurs(present.name) && !isMember(link, present.name, planning);
    return isLeft ? { do: 'change', index: link.index, change: { masterIndex: 0 } } : undefined;
  }
  const target = view.linkByName(wanted);
  if (target === undefined) return { do: 'wait', reason: `waits for its master ${wanted}: there is no such link` };
  if (target.index === link.masterIndex) return undefined;
  const isDownFirst = target.kind === 'bond' && has(link, 'UP');
  return { do: 'change', index: link.index, change: isDownFirst ? { up: false } : { masterIndex: target.index } };
};

function awaitsBond(spec: LinkSpec, link: KernelLink, view: LinkView): boolean {
  const target = view.linkByName(spec.bondSlave.masterName);
  return target?.kind === 'bond' && target.index !== link.masterIndex;
}

/** In the order in which they are looked at. */
const ASPECTS: readonly Aspect[] = [kind, fixedSettings, bond, bridge, up, mtu, hardwareAddr, multicast, master];
