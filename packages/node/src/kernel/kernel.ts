import type {
  RtnlAddress,
  RtnlBond,
  RtnlLink,
  RtnlLinkChange,
  RtnlNewLink,
  RtnlNextHop,
  RtnlRoute,
  RtnlRule,
} from '@bloomery/wire';
import type { JournalEntry } from './journal-entry.ts';
import type { KernelWireguard } from './kernel-wireguard.ts';

/** The network of this host as the kernel knows it, and changes to it. Numbers are the kernel's (rtnetlink). */
export interface Kernel {
  /** What is there: kept up to date by the kernel's messages, without asking. */
  readonly view: KernelView;
  /** Called after `view` changed, once for each message of the kernel. Returns the function that ends it. */
  listen(listener: (change: KernelChange) => void): () => void;
  readonly links: KernelLinks;
  readonly addresses: KernelAddresses;
  readonly routes: KernelRoutes;
  readonly rules: KernelRules;
  readonly wireguard: KernelWireguard;
  readonly ethernet: KernelEthernet;
  /** What ethtool and sysfs say of a link. Parts that cannot be read are absent; never fails. */
  linkDetails(link: KernelLink): Promise<LinkDetails>;
  /**
   * What the daemon changed, in this run or an earlier one since the boot, and how it is undone, the oldest first, under `entryKey`;
   * absent: nobody writes it down.
   */
  readonly entries?: ReadonlyMap<string, JournalEntry>;
}

export interface KernelView {
  /** By index. */
  readonly links: ReadonlyMap<number, KernelLink>;
  /** By the kernel's own name; not by alias or alternative names. */
  linkByName(name: string): KernelLink | undefined;
  /** Under `addressKey`. */
  readonly addresses: ReadonlyMap<string, KernelAddress>;
  /** Under `routeKey`. */
  readonly routes: ReadonlyMap<string, KernelRoute>;
  /** Those of one `routePlace`: they differ only in the gateway, the link or the type. */
  routesAt(place: string): readonly KernelRoute[];
  readonly rules: readonly KernelRule[];
}

/** What changed; `all`: everything may have changed (messages were lost and the kernel was asked anew). */
export type KernelChange =
  | { readonly of: 'link'; readonly gone: boolean; readonly link: KernelLink }
  | { readonly of: 'address'; readonly gone: boolean; readonly address: KernelAddress }
  | { readonly of: 'route'; readonly gone: boolean; readonly route: KernelRoute }
  | { readonly of: 'rule' }
  /** ethtool's own messages: speed, duplex, rings, features. */
  | { readonly of: 'ethtool'; readonly linkIndex: number }
  | { readonly of: 'all' };

/** As the kernel's messages tell it. */
export type KernelLink = RtnlLink;

/** Numbers as the kernel has them; `primary` is an index. */
export type KernelBond = RtnlBond;

/** Changes to links. @throws BloomeryError BLM_KERNEL_REFUSED with the errno's text and the kernel's own words. */
export interface KernelLinks {
  create(link: NewLink): Promise<void>;
  remove(index: number): Promise<void>;
  /** Only what is given changes. Masters: 0 releases. */
  change(index: number, change: LinkChange): Promise<void>;
}

export type NewLink = RtnlNewLink;

export interface LinkChange extends RtnlLinkChange {
  /** Names to add and to take away. */
  readonly addAltNames?: readonly string[];
  readonly removeAltNames?: readonly string[];
}

export type KernelAddress = RtnlAddress;

export interface KernelAddresses {
  /** Add, or change what stands beside it, in one step: connections that use it are kept. */
  put(address: NewAddress): Promise<void>;
  remove(linkIndex: number, address: string): Promise<void>;
  /** Tell the neighbours: gratuitous ARP, or an unsolicited neighbour advertisement. */
  announce(linkIndex: number, address: string): Promise<void>;
}

export interface NewAddress {
  readonly linkIndex: number;
  readonly address: string;
  readonly scope: number;
  /** Bits that may be set from outside (permanent is the kernel's own). */
  readonly flags: number;
  readonly priority: number;
}

export type KernelRoute = RtnlRoute;

export type KernelNextHop = RtnlNextHop;

export interface KernelRoutes {
  /**
   * Add, or change in one step what has the same key. What has the same destination, table and priority but another gateway
   * or link stands in the way (EEXIST): remove that first.
   */
  put(route: KernelRoute): Promise<void>;
  remove(route: KernelRoute): Promise<void>;
}

export type KernelRule = RtnlRule;

export interface KernelRules {
  add(rule: KernelRule): Promise<void>;
  remove(rule: KernelRule): Promise<void>;
}

/** Settings of network cards, as ethtool shows and changes them. */
export interface KernelEthernet {
  /** Parts that the card does not have are absent; never fails. */
  read(link: KernelLink): Promise<EthernetState>;
  /** Only what is given changes. @throws BloomeryError BLM_KERNEL_REFUSED */
  change(link: KernelLink, change: EthernetChange): Promise<void>;
}

/** Numbers of PORT and DUPLEX; names as ethtool has them. */
export interface EthernetState {
  readonly linkState?: boolean;
  readonly speedMbit?: number;
  readonly port?: number;
  readonly duplex?: number;
  readonly ourModes: readonly string[];
  readonly peerModes: readonly string[];
  /** Under the names of EthernetStatus' rings. */
  readonly rings?: Readonly<Record<string, number | boolean>>;
  readonly features: readonly EthernetFeature[];
  /** Under the names of EthernetStatus' channels. */
  readonly channels?: Readonly<Record<string, number>>;
  /** WAKE_*; absent: not supported. */
  readonly wakeOnLan?: number;
}

/** `fixed`: cannot be changed. `wanted` differs from `on` when the card did not follow. */
export interface EthernetFeature {
  readonly name: string;
  readonly on: boolean;
  readonly fixed: boolean;
  readonly wanted: boolean;
}

export interface EthernetChange {
  /** Under the names of EthernetSpec's rings. */
  readonly rings?: Readonly<Record<string, number | boolean>>;
  readonly features?: Readonly<Record<string, boolean>>;
  readonly channels?: Readonly<Record<string, number>>;
  /** WAKE_*. */
  readonly wakeOnLan?: number;
}

/** Absent: not known, or not of this kind of link. */
export interface LinkDetails {
  readonly busPath?: string;
  readonly pciID?: string;
  readonly driver?: string;
  readonly driverVersion?: string;
  readonly firmwareVersion?: string;
  readonly vendorID?: string;
  readonly productID?: string;
  readonly vendor?: string;
  readonly product?: string;
  readonly linkState?: boolean;
  readonly speedMbit?: number;
  /** Numbers of PORT and DUPLEX. */
  readonly port?: number;
  readonly duplex?: number;
}
