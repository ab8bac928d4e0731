import type { KernelRoute } from './kernel.ts';
import { routeKey, routePlace } from './kernel-keys.ts';
import { KeyIndex } from './key-index.ts';

/** Routes, found by what they have in common. */
export interface RouteTable {
  /** By their keys. */
  readonly all: ReadonlyMap<string, KernelRoute>;
  set(route: KernelRoute): void;
  /** @returns what was there */
  unset(key: string): KernelRoute | undefined;
  clear(): void;
  /** What differs only in the gateway, the link or the type. */
  at(place: string): readonly KernelRoute[];
  /** Those that leave through this link, also by one of several next hops. */
  ofLink(index: number): readonly KernelRoute[];
  /** Those with this preferred source. */
  from(source: string): readonly KernelRoute[];
  /** Whether there is one by the next hop with this number. */
  hasBy(nextHopId: number): boolean;
  /** What must go and what must be put so that the routes of a family are these. */
  differences(family: number, now: Iterable<KernelRoute>): RouteDifferences;
}

/** How two sets of routes differ. */
export interface RouteDifferences {
  /** Keys. */
  readonly gone: readonly string[];
  readonly put: readonly KernelRoute[];
}

/** Make an empty one. */
export function createRouteTable(): RouteTable {
  const routes = new Map<string, KernelRoute>();
  const places = new KeyIndex<string>();
  const links = new KeyIndex<number>();
  const sources = new KeyIndex<string>();
  const nextHops = new KeyIndex<number>();
  const found = (keys: Iterable<string>): readonly KernelRoute[] => [...keys].flatMap((key) => routes.get(key) ?? []);
  const unset = (key: string): KernelRoute | undefined => {
    const route = routes.get(key);
    if (route === undefined) return undefined;
    routes.delete(key);
    places.delete(routePlace(route), key);
    for (const index of linksOf(route)) links.delete(index, key);
    sources.delete(route.source, key);
    if (route.nextHopId !== undefined) nextHops.delete(route.nextHopId, key);
    return route;
  };
  return {
    all: routes,
    set: (route) => {
      const key = routeKey(route);
      // Its preferred source is no part of the key.
      unset(key);
      routes.set(key, route);
      places.add(routePlace(route), key);
      for (const index of linksOf(route)) links.add(index, key);
      if (route.source !== '') sources.add(route.source, key);
      if (route.nextHopId !== undefined) nextHops.add(route.nextHopId, key);
    },
    unset,
    clear: () => {
      for (const clearable of [routes, places, links, sources, nextHops]) clearable.clear();
    },
    at: (place) => found(places.get(place)),
    ofLink: (index) => found(links.get(index)),
    from: (source) => found(sources.get(source)),
    hasBy: (id) => nextHops.has(id),
    differences: (family, now) => {
      const wanted = new Map([...now].map((route) => [routeKey(route), route]));
      const isGone = ([key, route]: readonly [string, KernelRoute]): boolean =>
        route.family === family && !wanted.has(key);
      const isOther = ([key, route]: readonly [string, KernelRoute]): boolean => {
        const old = routes.get(key);
        return old === undefined || !isSameRoute(old, route);
      };
      return {
        gone: [...routes].filter(isGone).map(([key]) => key),
        put: [...wanted].filter(isOther).map(([, route]) => route),
      };
    },
  };
}

/** Of routes with the same key. */
function isSameRoute(a: KernelRoute, b: KernelRoute): boolean {
  return COMPARED.every((part) => a[part] === b[part]);
}

const COMPARED = ['source', 'scope', 'flags', 'protocol', 'mtu', 'nextHopId'] as const;

function linksOf(route: KernelRoute): readonly number[] {
  if (route.nextHops !== undefined) return route.nextHops.map((hop) => hop.linkIndex);
  return route.outLinkIndex === 0 ? [] : [route.outLinkIndex];
}
