import { parseGoDurationMs } from '@bloomery/wire';
import type { NodeConfig, NodeDocument } from '../config/node-config.ts';
import { asNumber, asText } from '../config/plain-value.ts';
import { ProbeSpec } from '../resources/network-status.ts';

const DEFAULT_INTERVAL_MS = 1000;
const DEFAULT_TIMEOUT_MS = 10_000;

/** Id of a probe: `tcp:proxy.example.com:3128`, `http:https://example.com/healthz`. */
export function probeId({ tcp, http }: Pick<ProbeSpec, 'tcp' | 'http'>): string {
  return http.endpoint === '' ? `tcp:${tcp.endpoint}` : `http:${http.endpoint}`;
}

/** The probes that TCPProbeConfig and HTTPProbeConfig documents name, in their order. Those without an endpoint are left out. */
export function configuredProbes(config: Pick<NodeConfig, 'documents'> | undefined): readonly ProbeSpec[] {
  return (config?.documents ?? []).flatMap(probeOf);
}

function probeOf({ kind, value }: NodeDocument): readonly ProbeSpec[] {
  const part = kind === 'TCPProbeConfig' ? 'tcp' : kind === 'HTTPProbeConfig' ? 'http' : undefined;
  const endpoint = asText(value['endpoint']);
  if (part === undefined || endpoint === '') return [];
  return [
    ProbeSpec.make({
      interval: durationOr(value['interval'], DEFAULT_INTERVAL_MS),
      failureThreshold: asNumber(value['failureThreshold']),
      [part]: { endpoint, timeout: durationOr(value['timeout'], DEFAULT_TIMEOUT_MS) },
      layer: 'configuration',
    }),
  ];
}

function durationOr(value: unknown, otherwiseMs: number): number {
  return parseGoDurationMs(asText(value)) || otherwiseMs;
}
