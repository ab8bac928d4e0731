/** One address of an interface, as `os.networkInterfaces()` reports it. */
export interface InterfaceAddress {
  readonly interfaceName: string;
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly internal: boolean;
}

/** What the choice depends on. */
export interface AdvertiseInput {
  readonly listenHost: string;
  readonly dhcpInterface: string | undefined;
  /** Interface of the default route, when there is one. */
  readonly defaultInterface: string | undefined;
  readonly addresses: readonly InterfaceAddress[];
}

/**
 * The address that machines are told when `--advertise` is absent: the listener's own address when it is bound to one, else the
 * address of the interface that reaches machines (`--dhcp-interface`, else the default route's, else the first one), IPv4 first.
 *
 * @returns undefined when this host has no address but loopback and listens on all of them.
 */
export function chooseAdvertisedHost(input: AdvertiseInput): string | undefined {
  if (input.listenHost !== '0.0.0.0' && input.listenHost !== '::') return input.listenHost;
  const rank = (a: InterfaceAddress): number =>
    (a.interfaceName === input.dhcpInterface ? 0 : a.interfaceName === input.defaultInterface ? 2 : 4) +
    (a.family === 'IPv4' ? 0 : 1);
  return input.addresses
    .filter((a) => !a.internal && !a.address.toLowerCase().startsWith('fe80:'))
    .toSorted((a, b) => rank(a) - rank(b))[0]?.address;
}

/** Interface of the IPv4 default route out of the text of `/proc/net/route`. */
export function defaultRouteInterface(procNetRoute: string): string | undefined {
  for (const line of procNetRoute.split('\n').slice(1)) {
    const [name, destination, , flags] = line.split('\t');
    if (destination === '00000000' && (Number.parseInt(flags ?? '0', 16) & 1) === 1) return name;
  }
  return undefined;
}
