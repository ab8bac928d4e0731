import { bool, defineResource, duration, enumeration, int, message, type SpecOf, text } from '@bloomery/cosi';
import { CONFIG_LAYER } from './enumerations.ts';

const tcpProbe = {
  endpoint: text(1),
  timeout: duration(2),
} as const;

/** Ours: Talos 1.13 knows TCP probes only. */
const httpProbe = {
  endpoint: text(1),
  timeout: duration(2),
} as const;

export const NetworkStatus = defineResource({
  type: 'NetworkStatuses.net.talos.dev',
  namespace: 'network',
  aliases: ['netstatus', 'netstatuses'],
  columns: [
    ['Address', '{.addressReady}'],
    ['Connectivity', '{.connectivityReady}'],
    ['Hostname', '{.hostnameReady}'],
    ['Etc', '{.etcFilesReady}'],
  ],
  spec: {
    addressReady: bool(1),
    connectivityReady: bool(2),
    hostnameReady: bool(3),
    etcFilesReady: bool(4),
  },
});
export type NetworkStatus = SpecOf<typeof NetworkStatus>;

export const ProbeSpec = defineResource({
  type: 'ProbeSpecs.net.talos.dev',
  namespace: 'network',
  spec: {
    interval: duration(1),
    failureThreshold: int(2),
    tcp: message(3, tcpProbe, { omitEmpty: true }),
    http: message(5, httpProbe, { omitEmpty: true }),
    layer: enumeration(4, CONFIG_LAYER),
  },
});
export type ProbeSpec = SpecOf<typeof ProbeSpec>;

export const ProbeStatus = defineResource({
  type: 'ProbeStatuses.net.talos.dev',
  namespace: 'network',
  aliases: ['probe', 'probes'],
  columns: [['Success', '{.success}']],
  spec: {
    success: bool(1),
    lastError: text(2),
  },
});
export type ProbeStatus = SpecOf<typeof ProbeStatus>;
