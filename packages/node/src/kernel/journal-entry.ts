import type {
  EthernetChange,
  KernelAddress,
  KernelBond,
  KernelLink,
  KernelRoute,
  KernelRule,
  KernelView,
  LinkChange,
  NewAddress,
} from './kernel.ts';
import { addressKey, routeKey } from './kernel-keys.ts';

/** One thing that was changed, and how it is undone. */
export type JournalEntry =
  /** A link that was made: it is removed. */
  | { readonly do: 'removeLink'; readonly index: number; readonly name: string }
  /** A link that was there before: it becomes what it was. */
  | { readonly do: 'restoreLink'; readonly index: number; readonly name: string; readonly before: LinkBefore }
  | { readonly do: 'removeAddress'; readonly linkIndex: number; readonly address: string }
  | { readonly do: 'putAddress'; readonly address: NewAddress }
  | { readonly do: 'removeRoute'; readonly route: KernelRoute }
  | { readonly do: 'putRoute'; readonly route: KernelRoute }
  | { readonly do: 'removeRule'; readonly rule: KernelRule }
  | { readonly do: 'addRule'; readonly rule: KernelRule };

/** What a link was before its first change. Only what was changed. */
export interface LinkBefore extends LinkChange {
  readonly ethernet?: EthernetChange;
  /** What the kernel drops when a link goes down. */
  readonly routes?: readonly KernelRoute[];
  readonly addresses?: readonly NewAddress[];
}

const IFF_UP = 0x1;
const IFF_MULTICAST = 0x1000;
const INET6 = 10;
const PERMANENT = 0x80;
/** Bits of addresses that only the kernel sets: tentative, DAD failed, permanent. */
const KERNEL_ADDRESS_FLAGS = 0x8 | 0x40 | PERMANENT;
const PROTO_KERNEL = 2;
const PROTO_RA = 9;

/** Under which a journal holds an entry: one thing has one. */
export function entryKey(entry: JournalEntry): string {
  switch (entry.do) {
    case 'removeLink':
    case 'restoreLink':
      return `link ${entry.index}`;
    case 'removeAddress':
      return `address ${addressKey(entry)}`;
    case 'putAddress':
      return `address ${addressKey(entry.address)}`;
    case 'removeRoute':
    case 'putRoute':
      return `route ${routeKey(entry.route)}`;
    default:
      return `rule ${JSON.stringify(Object.entries(entry.rule).sort())}`;
  }
}

/** The link that goes with an entry; 0: none. */
export function entryLink(entry: JournalEntry): number {
  switch (entry.do) {
    case 'removeLink':
    case 'restoreLink':
      return entry.index;
    case 'removeAddress':
      return entry.linkIndex;
    case 'putAddress':
      return entry.address.linkIndex;
    case 'removeRoute':
    case 'putRoute':
      return entry.route.outLinkIndex;
    default:
      return 0;
  }
}

/** What the link is now of all that this change changes, for when it is undone. */
export function linkBefore(link: KernelLink, change: LinkChange, view: KernelView): LinkBefore {
  const { bond, bridge } = link;
  const isEnslaved = change.masterIndex !== undefined;
  return {
    // Bonds bring their slaves up, and leave them down.
    ...(change.up !== undefined || isEnslaved ? { up: (link.flags & IFF_UP) !== 0 } : {}),
    ...(change.mtu === undefined ? {} : { mtu: link.mtu }),
    ...(change.hardwareAddr === undefined ? {} : { hardwareAddr: link.hardwareAddr }),
    ...(change.multicast === undefined ? {} : { multicast: (link.flags & IFF_MULTICAST) !== 0 }),
    ...(isEnslaved ? { masterIndex: link.masterIndex } : {}),
    ...(change.name === undefined ? {} : { name: link.name }),
    ...(change.alias === undefined ? {} : { alias: link.alias }),
    ...(change.addAltNames === undefined && change.removeAltNames === undefined ? {} : { addAltNames: link.altNames }),
    ...(change.bond === undefined || bond === undefined ? {} : { bond: pick(bond, Object.keys(change.bond)) }),
    ...(change.bridge === undefined || bridge === undefined ? {} : { bridge }),
    ...(change.up === false || isEnslaved ? lostWhenDown(link, view) : {}),
  };
}

/** What a link was before all changes, of what it was before the later ones and before the earlier ones. */
export function mergeBefore(later: LinkBefore, earlier: LinkBefore): LinkBefore {
  const bond = { ...later.bond, ...earlier.bond };
  const [a, b] = [later.ethernet, earlier.ethernet];
  const ethernet: EthernetChange = {
    ...{ ...a, ...b },
    ...(a?.rings === undefined ? {} : { rings: { ...a.rings, ...b?.rings } }),
    ...(a?.features === undefined ? {} : { features: { ...a.features, ...b?.features } }),
    ...(a?.channels === undefined ? {} : { channels: { ...a.channels, ...b?.channels } }),
  };
  return {
    ...later,
    ...earlier,
    ...(Object.keys(bond).length === 0 ? {} : { bond }),
    ...(a === undefined && b === undefined ? {} : { ethernet }),
  };
}

function pick(bond: KernelBond, names: readonly string[]): KernelBond {
  return Object.fromEntries(Object.entries(bond).filter(([name]) => names.includes(name)));
}

/** What others have put on the link, and the kernel forgets when it goes down. */
function lostWhenDown({ index }: KernelLink, view: KernelView): Pick<LinkBefore, 'routes' | 'addresses'> {
  const routes = [...view.routes.values()].filter(
    ({ outLinkIndex, protocol }) => outLinkIndex === index && protocol !== PROTO_KERNEL && protocol !== PROTO_RA,
  );
  const addresses = [...view.addresses.values()].filter(
    ({ linkIndex, family, flags, scope }) =>
      linkIndex === index && family === INET6 && (flags & PERMANENT) !== 0 && scope === 0,
  );
  return { routes, addresses: addresses.map(newAddress) };
}

/** What puts an address on its link again. */
export function newAddress({ linkIndex, address, scope, flags, priority }: KernelAddress): NewAddress {
  return { linkIndex, address, scope, flags: flags & ~KERNEL_ADDRESS_FLAGS, priority };
}

/**
 * The change that makes a link what it was: only what differs from what it is, in the order in which it is to be done. Up or down, and
 * its master, stand apart.
 */
export function restoringChange(link: KernelLink, before: LinkBefore): LinkChange {
  const { mtu, hardwareAddr, multicast, name, alias, addAltNames, bond, bridge } = before;
  const { removeAltNames, ...altNames } = addAltNames === undefined ? {} : altNamesLeft(link.altNames, addAltNames);
  const isMulticast = (link.flags & IFF_MULTICAST) !== 0;
  const bondLeft = Object.entries(bond ?? {}).filter(([key, value]) => String(link.bond?.[key]) !== String(value));
  return {
    ...(mtu === undefined || mtu === link.mtu ? {} : { mtu }),
    ...(hardwareAddr === undefined || hardwareAddr === link.hardwareAddr ? {} : { hardwareAddr }),
    ...(multicast === undefined || multicast === isMulticast ? {} : { multicast }),
    // The old name may be an alternative one by now: it has to be free before the link can have it back.
    ...(removeAltNames === undefined ? {} : { removeAltNames }),
    ...(name === undefined || name === link.name ? {} : { name }),
    ...(alias === undefined || alias === link.alias ? {} : { alias }),
    ...altNames,
    ...(bondLeft.length === 0 ? {} : { bond: Object.fromEntries(bondLeft) }),
    ...(bridge === undefined ? {} : { bridge }),
  };
}

function altNamesLeft(present: readonly string[], before: readonly string[]): LinkChange {
  return {
    removeAltNames: present.filter((name) => !before.includes(name)),
    addAltNames: before.filter((name) => !present.includes(name)),
  };
}
