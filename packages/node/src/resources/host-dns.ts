import { bool, defineResource, ip, ipPort, list, type SpecOf, text } from '@bloomery/cosi';

export const DnsResolveCache = defineResource({
  type: 'DNSResolveCaches.net.talos.dev',
  namespace: 'network',
  // The computed singular is `dnsresolvecach`.
  synonyms: ['dnsresolvecache'],
  columns: [['Status', '{.status}']],
  spec: {
    status: text(1),
  },
});
export type DnsResolveCache = SpecOf<typeof DnsResolveCache>;

export const DnsUpstream = defineResource({
  type: 'DNSUpstreams.net.talos.dev',
  namespace: 'network',
  columns: [
    ['Healthy', '{.healthy}'],
    ['Address', '{.addr}'],
  ],
  spec: {
    healthy: text(1),
    addr: text(2),
    protocol: text(3, { omitEmpty: true }),
    tlsServerName: text(4, { omitEmpty: true }),
  },
});
export type DnsUpstream = SpecOf<typeof DnsUpstream>;

export const HostDnsConfig = defineResource({
  type: 'HostDNSConfigs.net.talos.dev',
  namespace: 'network',
  columns: [['Enabled', '{.enabled}']],
  spec: {
    enabled: bool(1),
    listenAddresses: list(2, ipPort(1), { omitEmpty: true }),
    serviceHostDNSAddress: ip(3, { omitEmpty: true }),
    resolveMemberNames: bool(4, { omitEmpty: true }),
  },
});
export type HostDnsConfig = SpecOf<typeof HostDnsConfig>;
