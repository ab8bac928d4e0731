import type { KernelAddress, KernelChange, KernelLink, KernelRoute, KernelRule, KernelView } from './kernel.ts';
import { addressKey, routeKey } from './kernel-keys.ts';
import { KeyIndex } from './key-index.ts';
import { createRouteTable } from './route-table.ts';

/** A view that is kept up to date one message at a time. Each change costs the same however much there is. */
export interface LiveView extends KernelView {
  listen(listener: (change: KernelChange) => void): () => void;
  putLink(link: KernelLink): void;
  /** With its addresses and routes. */
  dropLink(index: number): void;
  putAddress(address: KernelAddress): void;
  dropAddress(key: string): void;
  putRoute(route: KernelRoute): void;
  dropRoute(key: string): void;
  putRule(rule: KernelRule): void;
  dropRule(rule: KernelRule): void;
  /** Those that leave through this link, also by one of several next hops. */
  routesOfLink(index: number): readonly KernelRoute[];
  /** Those with this preferred source. */
  routesFrom(source: string): readonly KernelRoute[];
  /** Whether there is one by the next hop with this number. */
  hasRouteBy(nextHopId: number): boolean;
  addressesOfLink(index: number): readonly KernelAddress[];
  /** Put everything in the place of what was there; listeners hear `all`. */
  replaceAll(all: KernelContents): void;
  /** Put these in the place of all routes of a family; listeners hear of each that differs. */
  replaceRoutes(family: number, routes: Iterable<KernelRoute>): void;
}

/** Everything that a view holds. */
export interface KernelContents {
  readonly links: Iterable<KernelLink>;
  readonly addresses: Iterable<KernelAddress>;
  readonly routes: Iterable<KernelRoute>;
  readonly rules: Iterable<KernelRule>;
}

/** Make an empty one. */
export function createLiveView(): LiveView {
  const listeners = new Set<(change: KernelChange) => void>();
  const links = new Map<number, KernelLink>();
  const byName = new Map<string, number>();
  const addresses = new Map<string, KernelAddress>();
  const addressKeys = new KeyIndex<number>();
  const routes = createRouteTable();
  const rules: KernelRule[] = [];

  const tell = (change: KernelChange): void => {
    for (const listener of listeners) listener(change);
  };
  const setLink = (link: KernelLink): void => {
    const old = links.get(link.index);
    if (old !== undefined && old.name !== link.name && byName.get(old.name) === link.index) byName.delete(old.name);
    links.set(link.index, link);
    byName.set(link.name, link.index);
  };
  const setAddress = (address: KernelAddress): void => {
    const key = addressKey(address);
    addresses.set(key, address);
    addressKeys.add(address.linkIndex, key);
  };
  const view: LiveView = {
    links,
    addresses,
    routes: routes.all,
    rules,
    linkByName: (name) => {
      const index = byName.get(name);
      return index === undefined ? undefined : links.get(index);
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    putLink: (link) => {
      setLink(link);
      tell({ of: 'link', gone: false, link });
    },
    dropLink: (index) => {
      const link = links.get(index);
      if (link === undefined) return;
      for (const address of view.addressesOfLink(index)) view.dropAddress(addressKey(address));
      for (const route of view.routesOfLink(index)) if (route.nextHops === undefined) view.dropRoute(routeKey(route));
      links.delete(index);
      if (byName.get(link.name) === index) byName.delete(link.name);
      tell({ of: 'link', gone: true, link });
    },
    putAddress: (address) => {
      setAddress(address);
      tell({ of: 'address', gone: false, address });
    },
    dropAddress: (key) => {
      const address = addresses.get(key);
      if (address === undefined) return;
      addresses.delete(key);
      addressKeys.delete(address.linkIndex, key);
      tell({ of: 'address', gone: true, address });
    },
    putRoute: (route) => {
      routes.set(route);
      tell({ of: 'route', gone: false, route });
    },
    dropRoute: (key) => {
      const route = routes.unset(key);
      if (route !== undefined) tell({ of: 'route', gone: true, route });
    },
    putRule: (rule) => {
      insertRule(rules, rule);
      tell({ of: 'rule' });
    },
    dropRule: (rule) => {
      const at = rules.findIndex((other) => isSameRule(other, rule));
      if (at < 0) return;
      rules.splice(at, 1);
      tell({ of: 'rule' });
    },
    routesAt: routes.at,
    routesOfLink: routes.ofLink,
    routesFrom: routes.from,
    hasRouteBy: routes.hasBy,
    addressesOfLink: (index) => [...addressKeys.get(index)].flatMap((key) => addresses.get(key) ?? []),
    replaceAll: (all) => {
      for (const clearable of [links, byName, addresses, addressKeys, routes]) clearable.clear();
      rules.length = 0;
      for (const link of all.links) setLink(link);
      for (const address of all.addresses) setAddress(address);
      for (const route of all.routes) routes.set(route);
      for (const rule of all.rules) insertRule(rules, rule);
      tell({ of: 'all' });
    },
    replaceRoutes: (family, now) => {
      const { gone, put } = routes.differences(family, now);
      for (const key of gone) view.dropRoute(key);
      for (const route of put) view.putRoute(route);
    },
  };
  return view;
}

/** Whether two rules are one for the kernel. */
export function isSameRule(a: KernelRule, b: KernelRule): boolean {
  return (
    a.family === b.family &&
    a.priority === b.priority &&
    a.source === b.source &&
    a.destination === b.destination &&
    a.table === b.table &&
    a.action === b.action &&
    a.iifName === b.iifName &&
    a.oifName === b.oifName &&
    a.fwMark === b.fwMark &&
    a.fwMask === b.fwMask
  );
}

/** In the order the kernel asks them: by family and priority, among equals the newest last. */
function insertRule(rules: KernelRule[], rule: KernelRule): void {
  const isAfter = (other: KernelRule): boolean =>
    other.family > rule.family || (other.family === rule.family && other.priority > rule.priority);
  const at = rules.findIndex(isAfter);
  rules.splice(at < 0 ? rules.length : at, 0, rule);
}
