import {
  bool,
  defineResource,
  enumeration,
  int,
  list,
  map,
  message,
  optional,
  type SpecOf,
  text,
  uint,
} from '@bloomery/cosi';
import { DUPLEX, PORT, WOL_MODE } from './enumerations.ts';

export const EthernetSpec = defineResource({
  type: 'EthernetSpecs.net.talos.dev',
  namespace: 'network',
  spec: {
    rings: message(
      1,
      {
        rx: optional(uint(1)),
        tx: optional(uint(4)),
        'rx-mini': optional(uint(2)),
        'rx-jumbo': optional(uint(3)),
        'rx-buf-len': optional(uint(5)),
        'cqe-size': optional(uint(6)),
        'tx-push': optional(bool(7)),
        'rx-push': optional(bool(8)),
        'tx-push-buf-len': optional(uint(9)),
        'tcp-data-split': optional(bool(10)),
      },
      { omitEmpty: true },
    ),
    features: map(2, bool(2), { omitEmpty: true }),
    channels: message(
      3,
      {
        rx: optional(uint(1)),
        tx: optional(uint(2)),
        other: optional(uint(3)),
        combined: optional(uint(4)),
      },
      { omitEmpty: true },
    ),
    wakeOnLan: list(4, enumeration(1, WOL_MODE), { omitEmpty: true }),
  },
});
export type EthernetSpec = SpecOf<typeof EthernetSpec>;

export const EthernetStatus = defineResource({
  type: 'EthernetStatuses.net.talos.dev',
  namespace: 'network',
  aliases: ['ethtool'],
  columns: [
    ['Link', '{.linkState}'],
    ['Speed', '{.speedMbit}'],
  ],
  spec: {
    linkState: optional(bool(1)),
    speedMbit: int(2, { omitEmpty: true }),
    port: enumeration(3, PORT),
    duplex: enumeration(4, DUPLEX),
    ourModes: list(5, text(1), { omitEmpty: true }),
    peerModes: list(6, text(1), { omitEmpty: true }),
    rings: optional(
      message(7, {
        'rx-max': optional(uint(1)),
        'rx-mini-max': optional(uint(2)),
        'rx-jumbo-max': optional(uint(3)),
        'tx-max': optional(uint(4)),
        'tx-push-buf-len-max': optional(uint(5)),
        rx: optional(uint(6)),
        'rx-mini': optional(uint(7)),
        'rx-jumbo': optional(uint(8)),
        tx: optional(uint(9)),
        'rx-buf-len': optional(uint(10)),
        'cqe-size': optional(uint(11)),
        'tx-push': optional(bool(12)),
        'rx-push': optional(bool(13)),
        'tx-push-buf-len': optional(uint(14)),
        'tcp-data-split': optional(bool(15)),
      }),
    ),
    features: list(
      8,
      message(1, {
        name: text(1),
        status: text(2),
      }),
      { omitEmpty: true, asMap: true },
    ),
    channels: optional(
      message(9, {
        'rx-max': optional(uint(1)),
        'tx-max': optional(uint(2)),
        'other-max': optional(uint(3)),
        'combined-max': optional(uint(4)),
        rx: optional(uint(5)),
        tx: optional(uint(6)),
        other: optional(uint(7)),
        combined: optional(uint(8)),
      }),
    ),
    wakeOnLAN: list(10, enumeration(1, WOL_MODE), { omitEmpty: true }),
  },
});
export type EthernetStatus = SpecOf<typeof EthernetStatus>;
