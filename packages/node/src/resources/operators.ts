import { bool, defineResource, enumeration, int, ip, message, type SpecOf, text, uint } from '@bloomery/cosi';
import { CLIENT_IDENTIFIER, CONFIG_LAYER, OPERATOR } from './enumerations.ts';

const clientIdentifierFields = {
  clientIdentifier: enumeration(1, CLIENT_IDENTIFIER),
  duidRawHex: text(2, { omitEmpty: true }),
} as const;

const dhcp4Operator = {
  routeMetric: uint(1),
  skipHostnameRequest: bool(2, { omitEmpty: true }),
  clientIdentifier: message(3, clientIdentifierFields, { omitEmpty: true }),
} as const;

const dhcp6Operator = {
  routeMetric: uint(2),
  skipHostnameRequest: bool(3, { omitEmpty: true }),
  clientIdentifier: message(4, clientIdentifierFields, { omitEmpty: true }),
} as const;

const vipEquinixMetal = {
  projectID: text(1),
  deviceID: text(2),
  apiToken: text(3),
} as const;

const vipHcloud = {
  deviceID: int(1),
  networkID: int(2),
  apiToken: text(3),
} as const;

const vipOperator = {
  ip: ip(1),
  gratuitousARP: bool(2),
  equinixMetal: message(3, vipEquinixMetal, { omitEmpty: true }),
  hcloud: message(4, vipHcloud, { omitEmpty: true }),
} as const;

export const OperatorSpec = defineResource({
  type: 'OperatorSpecs.net.talos.dev',
  namespace: 'network',
  sensitive: true,
  spec: {
    operator: enumeration(1, OPERATOR),
    linkName: text(2),
    requireUp: bool(3),
    dhcp4: message(4, dhcp4Operator, { omitEmpty: true }),
    dhcp6: message(5, dhcp6Operator, { omitEmpty: true }),
    vip: message(6, vipOperator, { omitEmpty: true }),
    layer: enumeration(7, CONFIG_LAYER),
  },
});
export type OperatorSpec = SpecOf<typeof OperatorSpec>;
