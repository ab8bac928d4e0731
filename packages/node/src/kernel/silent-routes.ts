import type { KernelAddress } from './kernel.ts';
import { routeKey } from './kernel-keys.ts';
import type { LiveView } from './live-view.ts';

const SCOPE_HOST = 254;
const INET = 2;

/**
 * Drop the IPv4 routes of a link that went down: the kernel does so too, but says nothing of it, as it does for IPv6. Routes to
 * the host's own addresses stay.
 *
 * @returns whether routes with several next hops go by this link: only the kernel knows what becomes of them.
 */
export function dropRoutesOfDownLink(view: LiveView, linkIndex: number): boolean {
  return dropRoutes(view, linkIndex, ({ scope }) => scope !== SCOPE_HOST);
}

/**
 * Drop the routes that go with an IPv4 address which is no longer in the view: those that prefer it as their source, and all of its link
 * when it was the last one there. The kernel says nothing of either.
 *
 * @returns whether routes with several next hops are concerned: only the kernel knows what becomes of them.
 */
export function dropRoutesOfGoneAddress(view: LiveView, { linkIndex, local }: KernelAddress): boolean {
  const from = view.routesFrom(local);
  if (from.length > 0 && !view.addresses.values().some((other) => other.local === local))
    for (const route of from) view.dropRoute(routeKey(route));
  const isLast = !view.addressesOfLink(linkIndex).some(({ family }) => family === INET);
  return isLast && dropRoutes(view, linkIndex, () => true);
}

/** @returns whether there are some with several next hops, which are left. */
function dropRoutes(view: LiveView, linkIndex: number, goes: (route: { readonly scope: number }) => boolean): boolean {
  let isUnsure = false;
  for (const route of view.routesOfLink(linkIndex)) {
    if (route.nextHops !== undefined) isUnsure = true;
    else if (route.family === INET && goes(route)) view.dropRoute(routeKey(route));
  }
  return isUnsure;
}
