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
  let isUnsure = false;
  for (const route of view.routesOfLink(linkIndex)) {
    if (route.nextHops !== undefined) isUnsure = true;
    else if (route.family === INET && route.scope !== SCOPE_HOST) view.dropRoute(routeKey(route));
  }
  return isUnsure;
}
