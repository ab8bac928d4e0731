import type { Controller, ReconcileContext } from '@bloomery/cosi';
import { hostPort, type Listen } from '@bloomery/ports';
import type { HostDns } from '../dns/host-dns.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { RESOLVERS_ID } from '../resolvers/merge-resolvers.ts';
import { AddressStatus, NodeAddress } from '../resources/addresses.ts';
import { Member } from '../resources/cluster.ts';
import { DnsResolveCache, HostDnsConfig } from '../resources/host-dns.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { HostnameStatus, ResolverStatus } from '../resources/names.ts';
import { onDnsChange } from './dns-upstream-controller.ts';
import { HOST_DNS_ID, listenerId } from './host-dns-address.ts';
import { planHostDns } from './host-dns-config-controller.ts';
import { hostDnsSettings, readAllInputs } from './host-dns-settings.ts';

/**
 * Drives the server of host DNS, and shows each of its listeners: `running`, or why not, with who has the port. Addresses that the host
 * does not have yet are waited for.
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
      { definition: AddressStatus, kind: 'weak' },
    ],
    outputs: [{ definition: DnsResolveCache, kind: 'exclusive' }],
    wakes: [onDnsChange(dns)],
    reconcile: async (context) => {
      const inputs = readAllInputs(context);
      const settings = hostDnsSettings(inputs);
      const present = presentAddresses(context);
      const listen = settings.listen.filter(({ host }) => LOOPBACK.test(host) || present.has(host));
      await dns.configure({ ...settings, listen });
      show(context, dns, settings.listen);
      const { config, hostDns } = inputs;
      // Before that, it has been told of no configuration at all, or of the one before.
      const isOfConfig = hostDns !== undefined && HostDnsConfig.codec.equal(hostDns, planHostDns(config, manageAll));
      if (config !== undefined && isOfConfig) onConfigured();
    },
  };
}

/** Every host has them, also while nobody tells of its addresses. */
const LOOPBACK = /^127\./;

const presentAddresses = (context: ReconcileContext): ReadonlySet<string> =>
  new Set(context.list(AddressStatus).map(({ spec }) => spec.address.replace(/\/.*$/, '')));

function show(context: ReconcileContext, { status }: Pick<HostDns, 'status'>, wanted: readonly Listen[]): void {
  const states = new Map<string, string>();
  for (const listen of wanted)
    for (const transport of ['udp', 'tcp'] as const)
      states.set(listenerId(transport, hostPort(listen)), `waits for the address ${listen.host}`);
  for (const listener of status.listeners) {
    const state = listener.bound === undefined ? (listener.problem ?? 'starting') : 'running';
    states.set(listenerId(listener.transport, hostPort(listener.wanted)), state);
  }
  // Each is written once: who watches must not see one wait that runs.
  const listeners = context.outputs(DnsResolveCache);
  for (const [id, state] of states) listeners.put(id, { status: state });
  listeners.finish();
}
