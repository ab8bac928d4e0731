import type { KernelAddress, KernelRoute } from './kernel.ts';

/** Under which a view holds an address. */
export function addressKey({
  linkIndex,
  address,
  peer,
}: Pick<KernelAddress, 'linkIndex' | 'address' | 'peer'>): string {
  return peer === undefined ? `${linkIndex}/${address}` : `${linkIndex}/${address}/${peer}`;
}

/** What the kernel tells one route from another by, when it replaces: the same for routes that differ in their gateway. */
export function routePlace({ family, table, destination, priority, tos = 0 }: KernelRoute): string {
  return `${family}/${table}/${destination}/${priority}/${tos}`;
}

/** Under which a view holds a route. */
export function routeKey(route: KernelRoute): string {
  const hops = route.nextHops?.map(({ gateway, linkIndex }) => `${gateway}@${linkIndex}`).join(',') ?? '';
  return `${routePlace(route)}/${route.type}/${route.gateway}/${route.outLinkIndex}/${hops}`;
}
