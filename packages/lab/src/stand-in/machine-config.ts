import { parseAllDocuments } from 'yaml';
import { type ClusterConfig, readClusterConfig } from './cluster-config.ts';

/** The few parts of a Talos machine configuration that the stand-in honours, beside the documents of the link. */
export interface StandInConfig {
  readonly hostname?: string;
  /** CIDRs of `machine.network.interfaces[].addresses` by interface name; '' where the entry has none. */
  readonly addresses: readonly { readonly interfaceName: string; readonly cidr: string }[];
  /** `machine.install.disk` */
  readonly installDisk?: string;
  /** Absent where the configuration names no cluster. */
  readonly cluster?: ClusterConfig;
}

const MAX_ADDRESSES = 32;

/** Read a machine configuration of one or more documents. @throws Error of the YAML reader for text that is no YAML. */
export function readStandInConfig(text: string): StandInConfig {
  const documents = parseAllDocuments(text, { uniqueKeys: false }).map((document) => {
    const broken = document.errors[0];
    if (broken !== undefined) throw broken;
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  });
  const legacy = documents.find((document) => child(document, 'machine') !== undefined);
  const machine = child(legacy, 'machine');
  const cluster = readClusterConfig(legacy);
  const ofKind = (kind: string): unknown => documents.find((document) => child(document, 'kind') === kind);
  const network = child(machine, 'network');
  const hostname = textOf(child(network, 'hostname')) ?? textOf(child(ofKind('HostnameConfig'), 'hostname'));
  const installDisk = textOf(child(child(machine, 'install'), 'disk'));
  return {
    addresses: list(child(network, 'interfaces'))
      .flatMap((entry) =>
        list(child(entry, 'addresses')).flatMap((cidr) => {
          const written = textOf(cidr);
          return written === undefined
            ? []
            : [{ interfaceName: textOf(child(entry, 'interface')) ?? '', cidr: written }];
        }),
      )
      .slice(0, MAX_ADDRESSES),
    ...(hostname === undefined ? {} : { hostname }),
    ...(installDisk === undefined ? {} : { installDisk }),
    ...(cluster === undefined ? {} : { cluster }),
  };
}

function child(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
