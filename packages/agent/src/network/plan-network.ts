import type { Lease } from './lease.ts';

/** The `ip` calls that apply a lease to a link, in order. Those marked optional may fail. */
export interface IpCall {
  readonly args: readonly string[];
  readonly optional: boolean;
}

/** Decide how a lease is applied: MTU first, then the address, routes on the link before those behind gateways. */
export function planNetwork(link: string, lease: Lease): IpCall[] {
  const calls: IpCall[] = [];
  const add = (optional: boolean, ...args: string[]): void => {
    calls.push({ args, optional });
  };
  if (lease.mtu !== undefined) add(true, 'link', 'set', 'dev', link, 'mtu', String(lease.mtu));
  add(false, 'address', 'replace', `${lease.address}/${lease.prefixLength}`, 'dev', link);
  for (const { destination } of lease.routes.filter((route) => route.gateway === undefined)) {
    add(true, 'route', 'replace', destination, 'dev', link);
  }
  for (const { destination, gateway } of lease.routes) {
    // A gateway outside the link's network is legal in option 121 (on /32 leases).
    if (gateway !== undefined) add(true, 'route', 'replace', destination, 'via', gateway, 'dev', link, 'onlink');
  }
  return calls;
}

/** The text of `/etc/resolv.conf` for a lease. */
export function resolverFile(lease: Lease): string {
  const search = lease.domain === undefined ? '' : `search ${lease.domain}\n`;
  return search + lease.nameServers.map((server) => `nameserver ${server}\n`).join('');
}
