import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { BloomeryError } from '@bloomery/ports';
import { chooseAdvertisedHost, defaultRouteInterface, type InterfaceAddress } from './advertise.ts';
import type { ServeOptions } from './options.ts';

/** Every address of this host. */
export function interfaceAddresses(): readonly InterfaceAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([interfaceName, list = []]) =>
    list.map(({ address, family, internal }) => ({ interfaceName, address, family, internal })),
  );
}

/** The address that machines are told when none is given. @throws BloomeryError BLM_SERVE_NO_ADDRESS. */
export function ownAddress(options: ServeOptions): string {
  let routes = '';
  try {
    routes = readFileSync('/proc/net/route', 'utf8');
  } catch {
    // No procfs: the first address of the host is as good a guess as any.
  }
  const host = chooseAdvertisedHost({
    listenHost: options.listen.host,
    dhcpInterface: options.dhcpInterface,
    defaultInterface: defaultRouteInterface(routes),
    addresses: interfaceAddresses(),
  });
  if (host !== undefined) return host;
  throw new BloomeryError(
    'BLM_SERVE_NO_ADDRESS',
    'choosing the address that machines are told: this host has no address but loopback; give one with --advertise HOST',
  );
}

/** The IPv4 address of the interface whose machines are answered, where one is named. @throws BloomeryError BLM_SERVE_NO_ADDRESS. */
export function interfaceAddressOf(options: ServeOptions): { readonly interfaceAddress?: string } {
  if (options.dhcpInterface === undefined) return {};
  const found = interfaceAddresses().find((a) => a.interfaceName === options.dhcpInterface && a.family === 'IPv4');
  if (found === undefined) {
    throw new BloomeryError(
      'BLM_SERVE_NO_ADDRESS',
      `finding the IPv4 address of --dhcp-interface ${options.dhcpInterface}: it has none`,
      {
        facts: { interface: options.dhcpInterface },
      },
    );
  }
  return { interfaceAddress: found.address };
}
