import type { Controller } from '@bloomery/cosi';
import type { HostDns } from '../dns/host-dns.ts';
import { DnsCache, HostDnsConfig } from '../resources/host-dns.ts';
import { HOST_DNS_ID } from './host-dns-address.ts';

/** Id of the one DNSCache. */
export const DNS_CACHE_ID = 'host';

/** How often the counters are looked at while the server is on. Questions are too many to tell of each. */
const COUNT_EVERY_MS = 2_000;

/** Shows how the cache of host DNS does. */
export function dnsCacheController(dns: Pick<HostDns, 'status'>): Controller {
  return {
    name: 'network.DNSCacheController',
    inputs: [{ definition: HostDnsConfig, id: HOST_DNS_ID, kind: 'weak' }],
    outputs: [{ definition: DnsCache, kind: 'exclusive' }],
    reconcile: (context) => {
      const caches = context.outputs(DnsCache);
      if (context.get(HostDnsConfig, HOST_DNS_ID)?.spec.enabled === true) {
        const { positive, ...counts } = dns.status.cache;
        caches.put(DNS_CACHE_ID, { ...counts, entries: positive + counts.negative });
        context.wakeAfter(COUNT_EVERY_MS);
      }
      caches.finish();
    },
  };
}
