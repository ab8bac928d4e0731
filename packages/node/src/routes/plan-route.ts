import { maskedPrefix, parsePrefix } from '../ip/ip-prefix.ts';
import { findLink } from '../kernel/find-link.ts';
import type { KernelRoute, KernelView } from '../kernel/kernel.ts';
import { routePlace } from '../kernel/kernel-keys.ts';
import { FAMILY, LINK_FLAGS, ROUTE_PROTOCOL, ROUTE_TYPE, ROUTING_TABLE, SCOPE } from '../resources/enumerations.ts';
import { numberOf } from '../resources/number-of.ts';
import type { RouteSpec } from '../resources/routes.ts';

/** What to do so that a route is there. */
export type RoutePlan =
  | { readonly do: 'wait'; readonly reason: 'LinkMissing' | 'LinkDown' }
  | { readonly do: 'nothing' }
  /** Add it, or change what differs in place, after what it replaces is removed. */
  | { readonly do: 'put'; readonly route: KernelRoute; readonly remove: readonly KernelRoute[] };

/** Decide the next step for a route that shall be there. Pure. @param formerIndex of the link that it was put on before */
export function planRoute(spec: RouteSpec, view: KernelView, formerIndex?: number): RoutePlan {
  const link = findLink(view, spec.outLinkName);
  if (link === undefined && spec.outLinkName !== '') return { do: 'wait', reason: 'LinkMissing' };
  if (link !== undefined && (link.flags & LINK_FLAGS.UP) === 0) return { do: 'wait', reason: 'LinkDown' };
  const route = kernelRoute(spec, link?.index ?? 0);
  const present = presentRoutes(spec, view, formerIndex);
  const same = present.find((other) => other.type === route.type && isSameLink(other, route));
  if (same !== undefined && present.length === 1 && isAsWanted(same, route)) return { do: 'nothing' };
  return { do: 'put', route, remove: present.filter((other) => other !== same) };
}

/**
 * The routes of the kernel that have what makes the id of this spec: its own, or what it replaces.
 *
 * @param formerIndex of the link that it was put on before: an alias may name another link now
 */
export function presentRoutes(spec: RouteSpec, view: KernelView, formerIndex?: number): readonly KernelRoute[] {
  const route = kernelRoute(spec, 0);
  const index = findLink(view, spec.outLinkName)?.index;
  return view
    .routesAt(routePlace(route))
    .filter(
      (other) =>
        other.gateway === route.gateway &&
        other.nextHops === undefined &&
        (spec.family === 'inet4' || index === undefined || [index, formerIndex].includes(other.outLinkIndex)),
    );
}

/** A spec in the numbers of the kernel. Bits behind the length of the destination are cleared, as the kernel wants it. */
export function kernelRoute(spec: RouteSpec, outLinkIndex: number): KernelRoute {
  const destination = parsePrefix(spec.dst);
  return {
    family: numberOf(FAMILY, spec.family),
    destination: destination === undefined ? '' : maskedPrefix(destination).text,
    source: spec.src,
    gateway: spec.gateway,
    outLinkIndex,
    table: numberOf(ROUTING_TABLE, spec.table),
    priority: spec.priority,
    scope: numberOf(SCOPE, spec.scope),
    type: numberOf(ROUTE_TYPE, spec.type),
    flags: 0,
    protocol: numberOf(ROUTE_PROTOCOL, spec.protocol),
    mtu: spec.mtu,
  };
}

/** How a person names it: `default via 10.0.0.1 on eth0`. */
export function routeText({ dst, gateway, outLinkName, table, priority }: RouteSpec): string {
  const via = gateway === '' ? '' : ` via ${gateway}`;
  const on = outLinkName === '' ? '' : ` on ${outLinkName}`;
  const of = table === 'main' ? '' : ` of table ${table}`;
  return `${dst === '' ? 'default' : dst}${via}${on}${of}, metric ${priority}`;
}

/** Routes that swallow packets name no link, or (IPv6) the loopback: the kernel says either. */
function isSameLink(present: KernelRoute, wanted: KernelRoute): boolean {
  return (
    wanted.type !== ROUTE_TYPE.unicast || present.outLinkIndex === wanted.outLinkIndex || wanted.outLinkIndex === 0
  );
}

/** IPv6 routes have no scope. The source may be chosen by the kernel where none is wanted. */
function isAsWanted(present: KernelRoute, wanted: KernelRoute): boolean {
  return (
    present.protocol === wanted.protocol &&
    present.mtu === wanted.mtu &&
    (wanted.source === '' || present.source === wanted.source) &&
    (wanted.family === FAMILY.inet6 || present.scope === wanted.scope)
  );
}
