import {
  AF_INET,
  AF_INET6,
  decodeNextHopId,
  decodeRtnlAddress,
  decodeRtnlLink,
  decodeRtnlRoute,
  decodeRtnlRule,
  type NetlinkBytes,
  type NetlinkMessage,
  NLM_F_APPEND,
  NLM_F_REPLACE,
  RTM_DELADDR,
  RTM_DELLINK,
  RTM_DELNEXTHOP,
  RTM_DELROUTE,
  RTM_DELRULE,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWNEXTHOP,
  RTM_NEWROUTE,
  RTM_NEWRULE,
} from '@bloomery/wire';
import type { KernelAddress, KernelLink, KernelRoute } from './kernel.ts';
import { addressKey, routeKey, routePlace } from './kernel-keys.ts';
import type { LiveView } from './live-view.ts';
import { dropRoutesOfDownLink, dropRoutesOfGoneAddress } from './silent-routes.ts';

const IFF_UP = 0x1;
const IFF_LOWER_UP = 0x1_0000;
const NOTHING: readonly number[] = [];
const BOTH: readonly number[] = [AF_INET, AF_INET6];

/**
 * Bring one message of the kernel into the view.
 *
 * @returns families whose routes must be asked for, as the message does not say what became of them.
 * @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED
 */
export function applyNews(view: LiveView, bytes: NetlinkBytes, message: NetlinkMessage): readonly number[] {
  const { type, from, to } = message;
  switch (type) {
    case RTM_NEWLINK:
      return putLink(view, decodeRtnlLink(bytes, from, to));
    case RTM_DELLINK:
      return dropLink(view, decodeRtnlLink(bytes, from, to));
    case RTM_NEWADDR: {
      const address = decodeRtnlAddress(bytes, from, to);
      if (address !== undefined) view.putAddress(address);
      return NOTHING;
    }
    case RTM_DELADDR:
      return dropAddress(view, decodeRtnlAddress(bytes, from, to));
    case RTM_NEWROUTE:
      return putRoute(view, decodeRtnlRoute(bytes, from, to), message.flags);
    case RTM_DELROUTE:
      return dropRoute(view, decodeRtnlRoute(bytes, from, to));
    case RTM_NEWRULE:
    case RTM_DELRULE: {
      const rule = decodeRtnlRule(bytes, from, to);
      if (rule !== undefined) type === RTM_NEWRULE ? view.putRule(rule) : view.dropRule(rule);
      return NOTHING;
    }
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
      // Routes that go by a next hop of its own go, or go elsewhere, with it; the kernel tells of few of them.
      return view.hasRouteBy(decodeNextHopId(bytes, from, to)) ? BOTH : NOTHING;
    default:
      return NOTHING;
  }
}

function putLink(view: LiveView, link: KernelLink | undefined): readonly number[] {
  if (link === undefined) return NOTHING;
  const before = view.links.get(link.index);
  view.putLink(link);
  const other = link.kind === 'veth' ? view.links.get(link.linkIndex) : undefined;
  // The end of a pair that is made first is told before it has an other end, and never again.
  if (other?.kind === 'veth' && other.linkIndex === 0) view.putLink({ ...other, linkIndex: link.index });
  const was = before?.flags ?? 0;
  if (isOn(was, IFF_UP) === isOn(link.flags, IFF_UP)) {
    // The kernel takes next hops that stand for themselves away with the cable, and the routes by them.
    const isCut = isOn(was, IFF_LOWER_UP) && !isOn(link.flags, IFF_LOWER_UP);
    return isCut && view.routesOfLink(link.index).some(({ nextHopId }) => nextHopId !== undefined) ? BOTH : NOTHING;
  }
  // Routes with several next hops go when their last link does, and come back with the first.
  const isUnsure = isOn(link.flags, IFF_UP) ? hasNextHops(view, link.index) : dropRoutesOfDownLink(view, link.index);
  return isUnsure ? [AF_INET] : NOTHING;
}

function isOn(flags: number, flag: number): boolean {
  return (flags & flag) !== 0;
}

function hasNextHops(view: LiveView, linkIndex: number): boolean {
  return view.routesOfLink(linkIndex).some(({ nextHops }) => nextHops !== undefined);
}

function dropLink(view: LiveView, link: KernelLink | undefined): readonly number[] {
  if (link === undefined) return NOTHING;
  const isUnsure = hasNextHops(view, link.index);
  view.dropLink(link.index);
  return isUnsure ? BOTH : NOTHING;
}

function dropAddress(view: LiveView, address: KernelAddress | undefined): readonly number[] {
  if (address === undefined) return NOTHING;
  view.dropAddress(addressKey(address));
  if (address.family !== AF_INET) return NOTHING;
  return dropRoutesOfGoneAddress(view, address) ? [AF_INET] : NOTHING;
}

function putRoute(view: LiveView, route: KernelRoute | undefined, flags: number): readonly number[] {
  if (route === undefined) return NOTHING;
  const key = routeKey(route);
  const others = view.routesAt(routePlace(route)).filter((other) => routeKey(other) !== key);
  const isKnown = view.routes.has(key);
  view.putRoute(route);
  const [only] = others;
  if (only === undefined) return NOTHING;
  // IPv6 makes one route of those that differ in their gateway only, and tells of the whole.
  if (route.family === AF_INET6)
    return (flags & (NLM_F_REPLACE | NLM_F_APPEND)) !== 0 || route.nextHops !== undefined ? [AF_INET6] : NOTHING;
  if ((flags & NLM_F_REPLACE) === 0) return NOTHING;
  if (others.length > 1 || isKnown) return [AF_INET];
  view.dropRoute(routeKey(only));
  return NOTHING;
}

function dropRoute(view: LiveView, route: KernelRoute | undefined): readonly number[] {
  if (route === undefined) return NOTHING;
  const key = routeKey(route);
  if (view.routes.has(key)) {
    view.dropRoute(key);
    return NOTHING;
  }
  return route.family === AF_INET6 ? [AF_INET6] : NOTHING;
}
