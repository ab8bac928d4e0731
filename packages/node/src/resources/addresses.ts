import { bool, defineResource, enumeration, flags, ip, list, prefix, type SpecOf, text, uint } from '@bloomery/cosi';
import { ADDRESS_FLAGS, ADDRESS_SORT_ALGORITHM, CONFIG_LAYER, FAMILY, SCOPE } from './enumerations.ts';

export const AddressSpec = defineResource({
  type: 'AddressSpecs.net.talos.dev',
  namespace: 'network',
  spec: {
    address: prefix(1),
    linkName: text(2),
    family: enumeration(3, FAMILY),
    scope: enumeration(4, SCOPE),
    flags: flags(5, ADDRESS_FLAGS),
    announceWithARP: bool(6, { omitEmpty: true }),
    priority: uint(8, { omitEmpty: true }),
    layer: enumeration(7, CONFIG_LAYER),
  },
});
export type AddressSpec = SpecOf<typeof AddressSpec>;

export const AddressStatus = defineResource({
  type: 'AddressStatuses.net.talos.dev',
  namespace: 'network',
  aliases: ['address', 'addresses'],
  columns: [
    ['Address', '{.address}'],
    ['Link', '{.linkName}'],
  ],
  spec: {
    address: prefix(1),
    local: ip(2, { omitEmpty: true }),
    broadcast: ip(3, { omitEmpty: true }),
    anycast: ip(4, { omitEmpty: true }),
    multicast: ip(5, { omitEmpty: true }),
    linkIndex: uint(6),
    linkName: text(7),
    family: enumeration(8, FAMILY),
    scope: enumeration(9, SCOPE),
    flags: flags(10, ADDRESS_FLAGS),
    priority: uint(11),
  },
});
export type AddressStatus = SpecOf<typeof AddressStatus>;

export const NodeAddress = defineResource({
  type: 'NodeAddresses.net.talos.dev',
  namespace: 'network',
  columns: [
    ['Addresses', '{.addresses}'],
    ['SortAlgorithm', '{.sortAlgorithm}'],
  ],
  spec: {
    addresses: list(1, prefix(1)),
    sortAlgorithm: enumeration(2, ADDRESS_SORT_ALGORITHM),
  },
});
export type NodeAddress = SpecOf<typeof NodeAddress>;

export const NodeAddressFilter = defineResource({
  type: 'NodeAddressFilters.net.talos.dev',
  namespace: 'network',
  columns: [
    ['Include Subnets', '{.includeSubnets}'],
    ['Exclude Subnets', '{.excludeSubnets}'],
  ],
  spec: {
    includeSubnets: list(1, prefix(1)),
    excludeSubnets: list(2, prefix(1)),
  },
});
export type NodeAddressFilter = SpecOf<typeof NodeAddressFilter>;

export const NodeAddressSortAlgorithm = defineResource({
  type: 'NodeAddressSortAlgorithms.net.talos.dev',
  namespace: 'network',
  columns: [['Algorithm', '{.algorithm}']],
  spec: {
    algorithm: enumeration(1, ADDRESS_SORT_ALGORITHM),
  },
});
export type NodeAddressSortAlgorithm = SpecOf<typeof NodeAddressSortAlgorithm>;
