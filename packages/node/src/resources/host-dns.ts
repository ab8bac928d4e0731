import { bool, defineResource, ip, ipPort, list, type SpecOf, text, uint } from '@bloomery/cosi';

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
    serviceHostDNSAddressV6: ip(5, { omitEmpty: true }),
  },
});
export type HostDnsConfig = SpecOf<typeof HostDnsConfig>;

/** Counters of the cache of host DNS, since the daemon started. An addition of ours. */
export const DnsCache = defineResource({
  type: 'DNSCaches.net.bloomery.dev',
  namespace: 'network',
  aliases: ['dnscache'],
  columns: [
    ['Entries', '{.entries}'],
    ['Hits', '{.hits}'],
    ['Misses', '{.misses}'],
    ['Coalesced', '{.coalesced}'],
    ['Stale', '{.stale}'],
    ['Failures', '{.failures}'],
    ['Dropped', '{.dropped}'],
  ],
  spec: {
    /** Answers that are kept, the negative ones included. */
    entries: uint(1),
    negative: uint(2),
    hits: uint(3),
    misses: uint(4),
    /** Questions that waited for the answer of an equal one. */
    coalesced: uint(5),
    /** Answers that were given after their time, because no server answered. */
    stale: uint(6),
    /** Questions that no server answered, or that were too many. */
    failures: uint(7),
    /** Datagrams that were not taken up, because too many waited. */
    dropped: uint(8),
  },
});
export type DnsCache = SpecOf<typeof DnsCache>;
