import {
  bool,
  defineResource,
  enumeration,
  list,
  message,
  optional,
  prefix,
  type SpecOf,
  text,
  uint,
} from '@bloomery/cosi';
import {
  CONNTRACK_STATE,
  MATCH_OPERATOR,
  NF_TABLES_CHAIN_HOOK,
  NF_TABLES_CHAIN_PRIORITY,
  NF_TABLES_VERDICT,
  PROTOCOL,
} from './enumerations.ts';

const nfTablesIfNameMatch = {
  interfaceName: list(3, text(1)),
  operator: enumeration(2, MATCH_OPERATOR),
} as const;

const nfTablesMark = {
  mask: uint(1, { omitEmpty: true }),
  xor: uint(2, { omitEmpty: true }),
  value: uint(3, { omitEmpty: true }),
} as const;

const nfTablesAddressMatch = {
  includeSubnets: list(1, prefix(1), { omitEmpty: true }),
  excludeSubnets: list(2, prefix(1), { omitEmpty: true }),
  invert: bool(3, { omitEmpty: true }),
} as const;

const portRange = {
  lo: uint(1),
  hi: uint(2),
} as const;

const nfTablesPortMatch = {
  ranges: list(1, message(1, portRange), { omitEmpty: true }),
} as const;

export const NfTablesChain = defineResource({
  type: 'NfTablesChains.net.talos.dev',
  namespace: 'network',
  aliases: ['chain', 'chains'],
  columns: [
    ['Type', '{.type}'],
    ['Hook', '{.hook}'],
    ['Priority', '{.priority}'],
    ['Policy', '{.policy}'],
  ],
  spec: {
    type: text(1),
    hook: enumeration(2, NF_TABLES_CHAIN_HOOK),
    priority: enumeration(3, NF_TABLES_CHAIN_PRIORITY),
    policy: enumeration(5, NF_TABLES_VERDICT),
    rules: list(
      4,
      message(1, {
        matchIIfName: optional(message(8, nfTablesIfNameMatch)),
        matchOIfName: optional(message(1, nfTablesIfNameMatch)),
        matchMark: optional(message(3, nfTablesMark)),
        matchConntrackState: optional(
          message(11, {
            states: list(1, enumeration(1, CONNTRACK_STATE)),
          }),
        ),
        matchSourceAddress: optional(message(5, nfTablesAddressMatch)),
        matchDestinationAddress: optional(message(6, nfTablesAddressMatch)),
        matchLayer4: optional(
          message(7, {
            protocol: enumeration(1, PROTOCOL),
            matchSourcePort: optional(message(2, nfTablesPortMatch)),
            matchDestinationPort: optional(message(3, nfTablesPortMatch)),
            matchICMPType: optional(
              message(4, {
                types: list(1, uint(1)),
              }),
            ),
          }),
        ),
        matchLimit: optional(
          message(10, {
            packetRatePerSecond: uint(1),
          }),
        ),
        clampMSS: optional(
          message(9, {
            mtu: uint(1),
          }),
        ),
        setMark: optional(message(4, nfTablesMark)),
        anonymousCounter: bool(12, { omitEmpty: true }),
        verdict: optional(enumeration(2, NF_TABLES_VERDICT)),
      }),
    ),
  },
});
export type NfTablesChain = SpecOf<typeof NfTablesChain>;
