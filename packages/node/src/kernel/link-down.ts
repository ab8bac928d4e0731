import { routeKey } from './kernel-keys.ts';
import type { LiveView } from './live-view.ts';

const SCOPE_HOST = 254;
const INET = 2;

/**
 * The kernel drops the routes of a link that goes down. Of IPv6 it says so; of IPv4 it is silent, so it is done here. Routes to
 * the host's own addresses stay, as in the kernel.
 *
 * @returns whether routes with several next hops go by this link: only the kernel knows what becomes of them.
 */
export function flushRoutesOfDownLink(view: LiveView, linkIndex: number): boolean {
  let isUnsure = false;
  for (const route of view.routesOfLink(linkIndex)) {
    if (route.nextHops !== undefined) isUnsure = true;
    else if (route.family !== INET || route.scope !== SCOPE_HOST) view.dropRoute(routeKey(route));
  }
  return isUnsure;
}
