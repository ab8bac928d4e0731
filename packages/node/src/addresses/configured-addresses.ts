import type { Device } from '../config/node-config.ts';
import { type IpPrefix, parseAddressOrPrefix } from '../ip/ip-prefix.ts';
import type { ConfigLayer } from '../layers/index.ts';
import { AddressSpec } from '../resources/addresses.ts';
import { ADDRESS_FLAGS, type SCOPE } from '../resources/enumerations.ts';
import type { LinkDocument } from './link-document.ts';

/** What an address of a layer is made of. */
export interface ConfiguredAddress {
  readonly linkName: string;
  readonly prefix: IpPrefix;
  readonly layer: ConfigLayer;
  readonly scope?: keyof typeof SCOPE;
  readonly priority?: number;
}

/** Addresses, and what could not be read as one. */
export interface ConfiguredAddresses {
  readonly specs: readonly AddressSpec[];
  readonly unreadable: readonly { readonly linkName: string; readonly address: string }[];
}

/** Id of the spec of an address: `eth0/10.3.4.5/24`. */
export const addressId = ({ linkName, address }: Pick<AddressSpec, 'linkName' | 'address'>): string =>
  `${linkName}/${address}`;

/** The address of the loopback that every machine has, unless somebody else looks after it. */
export const LOOPBACK_ADDRESS: AddressSpec = AddressSpec.make({
  address: '127.0.0.1/8',
  linkName: 'lo',
  family: 'inet4',
  scope: 'host',
  flags: ADDRESS_FLAGS.permanent,
  layer: 'default',
});

/** The spec of an address, as every layer writes it: permanent, of global scope unless said otherwise. */
export function addressSpec(address: ConfiguredAddress): AddressSpec {
  const { linkName, prefix, layer, scope = 'global', priority = 0 } = address;
  const { family } = prefix.address;
  return AddressSpec.make({
    address: prefix.text,
    linkName,
    family,
    scope,
    flags: ADDRESS_FLAGS.permanent,
    priority,
    layer,
  });
}

/** The addresses that devices (and their VLANs, whose names the function gives) and documents of the configuration name. */
export function configuredAddresses(
  devices: readonly Device[],
  documents: readonly LinkDocument[],
  vlanName: (linkName: string, vlanId: number) => string,
): ConfiguredAddresses {
  const written = [
    ...devices.filter(({ ignore }) => ignore !== true).flatMap((device) => addressesOf(device, vlanName)),
    ...documents.flatMap(({ linkName, addresses }) =>
      addresses.map(({ address, routePriority: priority }) => ({ linkName, address, priority })),
    ),
  ];
  const specs: AddressSpec[] = [];
  const unreadable: { linkName: string; address: string }[] = [];
  for (const { linkName, address, priority } of written) {
    const prefix = parseAddressOrPrefix(address);
    if (prefix === undefined) unreadable.push({ linkName, address });
    else specs.push(addressSpec({ linkName, prefix, layer: 'configuration', priority }));
  }
  return { specs, unreadable };
}

function addressesOf(device: Device, vlanName: (linkName: string, vlanId: number) => string) {
  const { interface: name } = device;
  const links = [
    { linkName: name, addresses: device.addresses },
    ...device.vlans.map(({ vlanId, addresses }) => ({ linkName: vlanName(name, vlanId), addresses })),
  ];
  return links.flatMap(({ linkName, addresses }) => addresses.map((address) => ({ linkName, address, priority: 0 })));
}
