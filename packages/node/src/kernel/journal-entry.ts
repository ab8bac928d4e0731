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
import { mergeEthernet } from './merge-ethernet.ts';

/** One thing that was changed, and how it is undone. */
export type JournalEntry =
  /** A link is about to be made: what has its name then is ours, unless it is the one that has it now (0: none). */
  | { readonly do: 'makeLink'; readonly name: string; readonly presentIndex: number }
  /** A link that was made: it is removed. */
  | { readonly do: 'removeLink'; readonly index: number; readonly name: string }
  /** A link that was there before: it becomes what it was. */
  | { readonly do: 'restoreLink'; readonly index: number; readonly name: string; readonly before: LinkBefore }
  | { readonly do: 'removeAddress'; readonly linkIndex: number; readonly address: string }
  /** `routes`: what the kernel drops with the last address of a link. */
  | { readonly do: 'putAddress'; readonly address: NewAddress; readonly routes?: readonly KernelRoute[] }
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
    case 'makeLink':
      return `new link ${entry.name}`;
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

/** What is there, and which of it the daemon has made: that is not put back. */
export interface SeenByJournal {
  readonly view: KernelView;
  readonly isOurRoute: (route: KernelRoute) => boolean;
  readonly isOurAddress: (address: KernelAddress) => boolean;
}

/** What the link is now of all that this change changes, for when it is undone. */
export function linkBefore(link: KernelLink, change: LinkChange, seen: SeenByJournal): LinkBefore {
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
    ...(change.up === false || isEnslaved ? lostWhenDown(link, seen) : {}),
  };
}

/** What a link was before all changes, of what it was before the later ones and before the earlier ones. */
export function mergeBefore(later: LinkBefore, earlier: LinkBefore): LinkBefore {
  const bond = { ...later.bond, ...earlier.bond };
  const ethernet = mergeEthernet(later.ethernet ?? {}, earlier.ethernet ?? {});
  return {
    ...later,
    ...earlier,
    ...(Object.keys(bond).length === 0 ? {} : { bond }),
    ...(Object.keys(ethernet).length === 0 ? {} : { ethernet }),
  };
}

function pick(bond: KernelBond, names: readonly string[]): KernelBond {
  return Object.fromEntries(Object.entries(bond).filter(([name]) => names.includes(name)));
}

/** What others have put on the link, and the kernel forgets when it goes down. */
function lostWhenDown({ index }: KernelLink, seen: SeenByJournal): Pick<LinkBefore, 'routes' | 'addresses'> {
  const addresses = [...seen.view.addresses.values()].filter((address) => {
    const { linkIndex, family, flags, scope } = address;
    const isLost = linkIndex === index && family === INET6 && (flags & PERMANENT) !== 0 && scope === 0;
    return isLost && !seen.isOurAddress(address);
  });
  return { routes: routesOfOthers(index, seen), addresses: addresses.map(newAddress) };
}

/** Neither the kernel's nor ours. */
function routesOfOthers(index: number, { view, isOurRoute }: SeenByJournal): readonly KernelRoute[] {
  return [...view.routes.values()].filter((route) => {
    const { outLinkIndex, nextHops = [], protocol } = route;
    const isThere = outLinkIndex === index || nextHops.some(({ linkIndex }) => linkIndex === index);
    return isThere && protocol !== PROTO_KERNEL && protocol !== PROTO_RA && !isOurRoute(route);
  });
}

/** An entry of an address. */
export type PutAddress = Extract<JournalEntry, { readonly do: 'putAddress' }>;

/** How an address that is removed is put back, with the routes that may go with it. */
export function addressBefore(address: KernelAddress, seen: SeenByJournal): PutAddress {
  const routes = routesOfOthers(address.linkIndex, seen).filter(({ family }) => family === address.family);
  return { do: 'putAddress', address: newAddress(address), ...(routes.length === 0 ? {} : { routes }) };
}

/** As the address was first, with all routes that went with it. */
export function mergeAddress(later: PutAddress, earlier: PutAddress): PutAddress {
  const all = [...(later.routes ?? []), ...(earlier.routes ?? [])];
  const routes = [...new Map(all.map((route) => [routeKey(route), route])).values()];
  return routes.length === 0 ? earlier : { ...earlier, routes };
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
