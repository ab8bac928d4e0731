import type { ReconcileContext, State } from '@bloomery/cosi';
import { DnsResolveCache, HostDnsConfig } from '../resources/host-dns.ts';

/** A part of the daemon, as `talosctl service` shows it. */
export interface NodeService {
  readonly id: string;
  readonly state: 'Running' | 'Waiting';
  readonly isHealthy: boolean;
  readonly message: string;
  /** Of the last change, since the Unix epoch; undefined while nothing changed since the start. */
  readonly changedMs?: number;
}

/** The parts of the daemon. */
export function nodeServices(state: Pick<State | ReconcileContext, 'list'>): NodeService[] {
  const own: NodeService[] = ['apid', 'controller-runtime', 'machined'].map((id) => ({
    id,
    state: 'Running',
    isHealthy: true,
    message: 'Running in the network daemon',
  }));
  const dns = dnsService(state);
  return dns === undefined ? own : [...own, dns];
}

function dnsService(state: Pick<State | ReconcileContext, 'list'>): NodeService | undefined {
  if (!state.list(HostDnsConfig).some(({ spec }) => spec.enabled)) return undefined;
  const listeners = state.list(DnsResolveCache);
  const waiting = listeners.filter(({ spec }) => spec.status !== 'running');
  const changedMs = Math.max(0, ...listeners.map(({ metadata }) => metadata.updatedMs));
  const isRunning = listeners.length > waiting.length;
  const first = waiting[0];
  return {
    id: 'dns-resolve-cache',
    state: isRunning ? 'Running' : 'Waiting',
    isHealthy: isRunning && waiting.length === 0,
    message: first === undefined ? `${listeners.length} listeners` : `${first.metadata.id}: ${first.spec.status}`,
    ...(changedMs === 0 ? {} : { changedMs }),
  };
}
