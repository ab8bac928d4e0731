import type { Controller, ReconcileContext } from '@bloomery/cosi';
import { hostPort } from '@bloomery/ports';
import type { HostDns } from '../dns/host-dns.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { RESOLVERS_ID } from '../resolvers/merge-resolvers.ts';
import { NodeAddress } from '../resources/addresses.ts';
import { Member } from '../resources/cluster.ts';
import { DnsCache, DnsResolveCache, HostDnsConfig } from '../resources/host-dns.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { HostnameStatus, ResolverStatus } from '../resources/names.ts';
import { onDnsChange } from './dns-upstream-controller.ts';
import { HOST_DNS_ID, listenerId } from './host-dns-address.ts';
import { planHostDns } from './host-dns-config-controller.ts';
import { hostDnsSettings, readAllInputs } from './host-dns-settings.ts';

/** Id of the one DNSCache. */
export const DNS_CACHE_ID = 'host';

/** How often the counters are shown anew while the server is on. */
const COUNT_EVERY_MS = 5_000;

/**
 * Drives the server of host DNS, and shows each of its listeners (`running`, or why not, with who has the port) and the counters of its
 * cache.
 */
export function dnsResolveCacheController(
  { settings: { manageAll } }: Pick<NodeEnvironment, 'settings'>,
  dns: Pick<HostDns, 'configure' | 'status' | 'listen'>,
  onConfigured: () => void,
): Controller {
  return {
    name: 'network.DNSResolveCacheController',
    inputs: [
      { definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' },
      { definition: HostDnsConfig, id: HOST_DNS_ID, kind: 'weak' },
      { definition: ResolverStatus, id: RESOLVERS_ID, kind: 'weak' },
      { definition: HostnameStatus, id: 'hostname', kind: 'weak' },
      { definition: NodeAddress, id: 'default', kind: 'weak' },
      { definition: Member, kind: 'weak' },
    ],
    outputs: [
      { definition: DnsResolveCache, kind: 'exclusive' },
      { definition: DnsCache, kind: 'exclusive' },
    ],
    wakes: [onDnsChange(dns)],
    reconcile: async (context) => {
      const inputs = readAllInputs(context);
      await dns.configure(hostDnsSettings(inputs));
      show(context, dns);
      const { config, hostDns } = inputs;
      // Before that, it has been told of no configuration at all, or of the one before.
      const isOfConfig = hostDns !== undefined && HostDnsConfig.codec.equal(hostDns, planHostDns(config, manageAll));
      if (config !== undefined && isOfConfig) onConfigured();
    },
  };
}

function show(context: ReconcileContext, { status }: Pick<HostDns, 'status'>): void {
  const listeners = context.outputs(DnsResolveCache);
  for (const { transport, wanted, bound, problem } of status.listeners) {
    const state = bound === undefined ? (problem ?? 'starting') : 'running';
    listeners.put(listenerId(transport, hostPort(wanted)), { status: state });
  }
  listeners.finish();
  const caches = context.outputs(DnsCache);
  if (status.listeners.length > 0) {
    const { positive, negative, ...counts } = status.cache;
    caches.put(DNS_CACHE_ID, { ...counts, entries: positive + negative, negative });
    context.wakeAfter(COUNT_EVERY_MS);
  }
  caches.finish();
}
