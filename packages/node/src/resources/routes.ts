import { defineResource, enumeration, flags, ip, prefix, type SpecOf, text, uint } from '@bloomery/cosi';
import {
  CONFIG_LAYER,
  FAMILY,
  ROUTE_FLAGS,
  ROUTE_PROTOCOL,
  ROUTE_TYPE,
  ROUTING_RULE_ACTION,
  ROUTING_TABLE,
  SCOPE,
} from './enumerations.ts';

export const RouteSpec = defineResource({
  type: 'RouteSpecs.net.talos.dev',
  namespace: 'network',
  spec: {
    family: enumeration(1, FAMILY),
    dst: prefix(2),
    src: ip(3),
    gateway: ip(4),
    outLinkName: text(5, { omitEmpty: true }),
    table: enumeration(6, ROUTING_TABLE),
    priority: uint(7, { omitEmpty: true }),
    scope: enumeration(8, SCOPE),
    type: enumeration(9, ROUTE_TYPE),
    flags: flags(10, ROUTE_FLAGS),
    protocol: enumeration(11, ROUTE_PROTOCOL),
    layer: enumeration(12, CONFIG_LAYER),
    mtu: uint(13, { omitEmpty: true }),
  },
});
export type RouteSpec = SpecOf<typeof RouteSpec>;

export const RouteStatus = defineResource({
  type: 'RouteStatuses.net.talos.dev',
  namespace: 'network',
  aliases: ['route', 'routes'],
  columns: [
    ['Destination', '{.dst}'],
    ['Gateway', '{.gateway}'],
    ['Link', '{.outLinkName}'],
    ['Metric', '{.priority}'],
  ],
  spec: {
    family: enumeration(1, FAMILY),
    dst: prefix(2),
    src: ip(3),
    gateway: ip(4),
    outLinkIndex: uint(5, { omitEmpty: true }),
    outLinkName: text(6, { omitEmpty: true }),
    table: enumeration(7, ROUTING_TABLE),
    priority: uint(8),
    scope: enumeration(9, SCOPE),
    type: enumeration(10, ROUTE_TYPE),
    flags: flags(11, ROUTE_FLAGS),
    protocol: enumeration(12, ROUTE_PROTOCOL),
    mtu: uint(13, { omitEmpty: true }),
  },
});
export type RouteStatus = SpecOf<typeof RouteStatus>;

export const RoutingRuleSpec = defineResource({
  type: 'RoutingRuleSpecs.net.talos.dev',
  namespace: 'network',
  spec: {
    family: enumeration(1, FAMILY),
    src: prefix(2),
    dst: prefix(3),
    table: enumeration(4, ROUTING_TABLE),
    priority: uint(5),
    action: enumeration(6, ROUTING_RULE_ACTION),
    iifName: text(7, { omitEmpty: true }),
    oifName: text(8, { omitEmpty: true }),
    fwMark: uint(9, { omitEmpty: true }),
    fwMask: uint(10, { omitEmpty: true }),
    layer: enumeration(11, CONFIG_LAYER),
  },
});
export type RoutingRuleSpec = SpecOf<typeof RoutingRuleSpec>;

export const RoutingRuleStatus = defineResource({
  type: 'RoutingRuleStatuses.net.talos.dev',
  namespace: 'network',
  aliases: ['routingrule', 'routingrules'],
  columns: [
    ['Src', '{.src}'],
    ['Dst', '{.dst}'],
    ['Table', '{.table}'],
    ['Priority', '{.priority}'],
  ],
  spec: {
    family: enumeration(1, FAMILY),
    src: prefix(2),
    dst: prefix(3),
    table: enumeration(4, ROUTING_TABLE),
    priority: uint(5),
    action: enumeration(6, ROUTING_RULE_ACTION),
    iifName: text(7, { omitEmpty: true }),
    oifName: text(8, { omitEmpty: true }),
    fwMark: uint(9, { omitEmpty: true }),
    fwMask: uint(10, { omitEmpty: true }),
  },
});
export type RoutingRuleStatus = SpecOf<typeof RoutingRuleStatus>;
