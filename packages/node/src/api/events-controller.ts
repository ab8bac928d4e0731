import type { Controller, ReconcileContext } from '@bloomery/cosi';
import { machineEventsProto } from '@bloomery/wire';
import { NodeAddress } from '../resources/addresses.ts';
import { DnsResolveCache, HostDnsConfig } from '../resources/host-dns.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { HostnameStatus } from '../resources/names.ts';
import { NetworkStatus } from '../resources/network-status.ts';
import type { NodeEvents } from './node-events.ts';
import { nodeServices } from './node-services.ts';

const { AddressEventSchema, MachineStatusEventSchema, ServiceStateEventSchema, MachineStatusEvent_MachineStage } =
  machineEventsProto;
const { MAINTENANCE, RUNNING } = MachineStatusEvent_MachineStage;

/** What of the network must be there before a machine is ready, and what is said when it is not. */
const CONDITIONS = [
  ['addressReady', 'addresses', 'no address yet'],
  ['connectivityReady', 'connectivity', 'no connection yet'],
  ['hostnameReady', 'hostname', 'no host name yet'],
  ['etcFilesReady', 'etcfiles', 'files of the host are not written yet'],
] as const;

/** Tells `talosctl events` of changes of the node's address, its readiness and its services. */
export function eventsController(events: Pick<NodeEvents, 'publish'>): Controller {
  const told = new Map<string, string>();
  /** Whether it is not what was told last. */
  const isNews = (subject: string, news: unknown): boolean => {
    const text = JSON.stringify(news);
    if (told.get(subject) === text) return false;
    told.set(subject, text);
    return true;
  };
  return {
    name: 'runtime.EventsController',
    inputs: [MachineConfig, HostnameStatus, NodeAddress, NetworkStatus, HostDnsConfig, DnsResolveCache].map(
      (definition) => ({
        definition,
        kind: 'weak',
      }),
    ),
    outputs: [],
    reconcile: (context) => {
      const address = addressEvent(context);
      if (address.addresses.length > 0 && isNews('address', address)) events.publish(AddressEventSchema, address);
      const status = statusEvent(context);
      if (isNews('status', status)) events.publish(MachineStatusEventSchema, status);
      for (const { id, state, message, isHealthy } of nodeServices(context)) {
        if (!isNews(id, [state, message, isHealthy])) continue;
        const { ServiceStateEvent_Action } = machineEventsProto;
        const action = state === 'Running' ? ServiceStateEvent_Action.RUNNING : ServiceStateEvent_Action.WAITING;
        const health = { healthy: isHealthy, lastMessage: message };
        events.publish(ServiceStateEventSchema, { service: id, action, message, health });
      }
    },
  };
}

function addressEvent(context: ReconcileContext) {
  // Without those of pods and services, once the node knows which these are.
  const own = context.get(NodeAddress, 'current-no-k8s') ?? context.get(NodeAddress, 'current');
  const prefixes = own?.spec.addresses ?? [];
  return {
    hostname: context.get(HostnameStatus, 'hostname')?.spec.hostname ?? '',
    addresses: prefixes.map((prefix) => prefix.replace(/\/\d+$/, '')),
  };
}

function statusEvent(context: ReconcileContext) {
  const network = context.get(NetworkStatus, 'status')?.spec;
  const unmetConditions = CONDITIONS.filter(([key]) => network?.[key] !== true).map(([, name, reason]) => ({
    name,
    reason,
  }));
  const isConfigured = context.get(MachineConfig, ACTIVE_CONFIG)?.spec.machine !== undefined;
  return {
    stage: isConfigured ? RUNNING : MAINTENANCE,
    status: { ready: unmetConditions.length === 0, unmetConditions },
  };
}
