import { parseIp, parsePrefix, prefixContains } from '../../ip/ip-prefix.ts';
import type { KernelAddress, KernelRoute, KernelRoutes, KernelRule, KernelRules } from '../kernel.ts';
import { routeKey, routePlace } from '../kernel-keys.ts';
import { isSameRule } from '../live-view.ts';
import { routeText, ruleText } from '../object-names.ts';
import { IFF_UP, refusal, type SimulatedHost } from './simulated-host.ts';

const INET6 = 10;
const LOOPBACK = 1;
/** Blackhole, unreachable, prohibited. */
const NOWHERE: ReadonlySet<number> = new Set([6, 7, 8]);

/** Routes that behave as the kernel's do. */
export function simulatedRoutes(host: SimulatedHost): KernelRoutes {
  return {
    put: async (route) => put(host, route),
    remove: async (route) => {
      const what = `removing route ${routeText(host.view, route)}`;
      const wanted = withLink(host, route);
      const found = host.view
        .routesAt(routePlace(wanted))
        .find(
          ({ gateway, outLinkIndex, type }) =>
            gateway === wanted.gateway && type === wanted.type && outLinkIndex === wanted.outLinkIndex,
        );
      if (found === undefined) throw refusal(what, 'ESRCH');
      host.view.dropRoute(routeKey(found));
    },
  };
}

function put(host: SimulatedHost, route: KernelRoute): void {
  const what = `adding route ${routeText(host.view, route)}`;
  const added = withLink(host, route);
  const needsLink = added.type === 1;
  if (needsLink && added.outLinkIndex === 0 && added.gateway !== '')
    throw refusal(what, 'ENETUNREACH', 'Nexthop has invalid gateway');
  if (needsLink && added.nextHops === undefined) {
    const link = host.link(what, added.outLinkIndex);
    if ((link.flags & IFF_UP) === 0) throw refusal(what, 'ENETDOWN', 'Device for nexthop is not up');
  }
  if (added.source !== '' && !hasAddress(host, added.source)) throw refusal(what, 'EINVAL', 'Invalid prefsrc address');
  const others = host.view.routesAt(routePlace(added)).filter((other) => routeKey(other) !== routeKey(added));
  if (others.length > 0) throw refusal(what, 'EEXIST');
  host.view.putRoute(added);
}

/** The kernel finds the link of a gateway by the networks of its addresses; IPv6 routes that lead nowhere are on the loopback. */
function withLink(host: SimulatedHost, route: KernelRoute): KernelRoute {
  if (route.family === INET6 && NOWHERE.has(route.type)) return { ...route, outLinkIndex: LOOPBACK };
  const gateway = route.outLinkIndex === 0 ? parseIp(route.gateway) : undefined;
  if (gateway === undefined) return route;
  const reaches = ({ address, linkIndex }: KernelAddress): boolean => {
    const network = parsePrefix(address);
    const isUp = ((host.view.links.get(linkIndex)?.flags ?? 0) & IFF_UP) !== 0;
    return isUp && network !== undefined && prefixContains(network, gateway);
  };
  const address = host.view.addresses.values().find(reaches);
  return address === undefined ? route : { ...route, outLinkIndex: address.linkIndex };
}

function hasAddress(host: SimulatedHost, ip: string): boolean {
  return [...host.view.addresses.values()].some(({ address }) => address.startsWith(`${ip}/`));
}

/** Rules that behave as the kernel's do. */
export function simulatedRules(host: SimulatedHost): KernelRules {
  return {
    add: async (rule) => {
      if (host.view.rules.some((other) => isSameRule(other, rule)))
        throw refusal(`adding rule ${ruleText(rule)}`, 'EEXIST');
      host.view.putRule(rule);
    },
    remove: async (rule) => {
      if (!host.view.rules.some((other) => isSameRule(other, rule)))
        throw refusal(`removing rule ${ruleText(rule)}`, 'ENOENT');
      host.view.dropRule(rule);
    },
  };
}

/** The rules that every host begins with. */
export function firstRules(): readonly KernelRule[] {
  const rule = (family: number, priority: number, table: number): KernelRule => ({
    family,
    priority,
    source: '',
    destination: '',
    table,
    action: 1,
    iifName: '',
    oifName: '',
    fwMark: 0,
    fwMask: 0,
  });
  return [rule(2, 0, 255), rule(2, 32_766, 254), rule(2, 32_767, 253), rule(10, 0, 255), rule(10, 32_766, 254)];
}
