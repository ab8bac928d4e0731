import type { KernelRoute, KernelRule, KernelView } from './kernel.ts';

const TABLE_MAIN = 254;

/** A link's name, for messages. */
export function linkName(view: KernelView, index: number): string {
  return view.links.get(index)?.name ?? `link ${index}`;
}

/** As `ip route` prints it, without what follows by itself. */
export function routeText(view: KernelView, route: KernelRoute): string {
  return [
    route.destination === '' ? 'default' : route.destination,
    ...(route.gateway === '' ? [] : ['via', route.gateway]),
    ...(route.outLinkIndex === 0 ? [] : ['dev', linkName(view, route.outLinkIndex)]),
    ...(route.table === TABLE_MAIN ? [] : ['table', route.table]),
    ...(route.priority === 0 ? [] : ['metric', route.priority]),
  ].join(' ');
}

/** As `ip rule` prints it. */
export function ruleText(rule: KernelRule): string {
  return [
    `${rule.priority}:`,
    ...['from', rule.source || 'all'],
    ...(rule.destination === '' ? [] : ['to', rule.destination]),
    ...(rule.fwMark === 0 ? [] : ['fwmark', `0x${rule.fwMark.toString(16)}`]),
    ...(rule.iifName === '' ? [] : ['iif', rule.iifName]),
    ...(rule.oifName === '' ? [] : ['oif', rule.oifName]),
    ...['lookup', rule.table],
  ].join(' ');
}
