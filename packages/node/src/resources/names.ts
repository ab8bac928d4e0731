import { defineResource, enumeration, ip, list, type SpecOf, text } from '@bloomery/cosi';
import { CONFIG_LAYER } from './enumerations.ts';

export const HostnameSpec = defineResource({
  type: 'HostnameSpecs.net.talos.dev',
  namespace: 'network',
  spec: {
    hostname: text(1),
    domainname: text(2),
    layer: enumeration(3, CONFIG_LAYER),
  },
});
export type HostnameSpec = SpecOf<typeof HostnameSpec>;

export const HostnameStatus = defineResource({
  type: 'HostnameStatuses.net.talos.dev',
  namespace: 'network',
  aliases: ['hostname'],
  columns: [
    ['Hostname', '{.hostname}'],
    ['Domainname', '{.domainname}'],
  ],
  spec: {
    hostname: text(1),
    domainname: text(2),
  },
});
export type HostnameStatus = SpecOf<typeof HostnameStatus>;

export const ResolverSpec = defineResource({
  type: 'ResolverSpecs.net.talos.dev',
  namespace: 'network',
  columns: [
    ['Layer', '{.layer}'],
    ['Resolvers', '{.dnsServers}'],
    ['Search Domains', '{.searchDomains}'],
  ],
  spec: {
    dnsServers: list(1, ip(1)),
    layer: enumeration(2, CONFIG_LAYER),
    searchDomains: list(3, text(1), { omitEmpty: true }),
  },
});
export type ResolverSpec = SpecOf<typeof ResolverSpec>;

export const ResolverStatus = defineResource({
  type: 'ResolverStatuses.net.talos.dev',
  namespace: 'network',
  aliases: ['resolvers'],
  columns: [
    ['Resolvers', '{.dnsServers}'],
    ['Search Domains', '{.searchDomains}'],
  ],
  spec: {
    dnsServers: list(1, ip(1)),
    searchDomains: list(2, text(1)),
  },
});
export type ResolverStatus = SpecOf<typeof ResolverStatus>;

export const TimeServerSpec = defineResource({
  type: 'TimeServerSpecs.net.talos.dev',
  namespace: 'network',
  spec: {
    timeServers: list(1, text(1)),
    layer: enumeration(2, CONFIG_LAYER),
  },
});
export type TimeServerSpec = SpecOf<typeof TimeServerSpec>;

export const TimeServerStatus = defineResource({
  type: 'TimeServerStatuses.net.talos.dev',
  namespace: 'network',
  aliases: ['timeserver', 'timeservers'],
  columns: [['Timeservers', '{.timeServers}']],
  spec: {
    timeServers: list(1, text(1)),
  },
});
export type TimeServerStatus = SpecOf<typeof TimeServerStatus>;
