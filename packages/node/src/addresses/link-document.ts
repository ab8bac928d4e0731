import type { NodeConfig, NodeDocument } from '../config/node-config.ts';
import { asNumber, asRecord, asRecords, asText } from '../config/plain-value.ts';

/** What documents of the LinkConfig family say of the addresses and routes of one link. Texts as written. */
export interface LinkDocument {
  /** Kernel name, alias or alternative name. */
  readonly linkName: string;
  /** Line of the configuration its document begins in. */
  readonly line: number;
  readonly addresses: readonly LinkDocumentAddress[];
  readonly routes: readonly LinkDocumentRoute[];
}

export interface LinkDocumentAddress {
  /** CIDR, or an address alone. */
  readonly address: string;
  /** Metric of the route that the kernel makes of it; 0: the kernel's own. */
  readonly routePriority: number;
}

export interface LinkDocumentRoute {
  /** CIDR; empty: everything. */
  readonly destination: string;
  readonly gateway: string;
  readonly source: string;
  readonly metric: number;
  readonly mtu: number;
  /** Name or number; empty: main. */
  readonly table: string;
}

/** Kinds of documents that describe one link by its name. */
export const LINK_DOCUMENT_KINDS: ReadonlySet<string> = new Set([
  'LinkConfig',
  'DummyLinkConfig',
  'VethConfig',
  'VLANConfig',
  'BondConfig',
  'BridgeConfig',
  'VRFConfig',
  'WireguardConfig',
]);

/** The links that documents describe, in the order of the documents; both ends of a veth pair. */
export function linkDocuments({ documents }: Pick<NodeConfig, 'documents'>): readonly LinkDocument[] {
  return documents.filter(({ kind }) => LINK_DOCUMENT_KINDS.has(kind)).flatMap(linksOf);
}

function linksOf({ kind, name, line, value }: NodeDocument): readonly LinkDocument[] {
  const own = name === undefined ? [] : [linkOf(name, line, value)];
  const peer = kind === 'VethConfig' ? asRecord(value['peer']) : undefined;
  const peerName = asText(peer?.['name']);
  return peer === undefined || peerName === '' ? own : [...own, linkOf(peerName, line, peer)];
}

function linkOf(linkName: string, line: number, value: Readonly<Record<string, unknown>>): LinkDocument {
  return {
    linkName,
    line,
    addresses: asRecords(value['addresses']).map((address) => ({
      address: asText(address['address']),
      routePriority: asNumber(address['routePriority']),
    })),
    routes: asRecords(value['routes']).map((route) => ({
      destination: asText(route['destination']),
      gateway: asText(route['gateway']),
      source: asText(route['source']),
      metric: asNumber(route['metric']),
      mtu: asNumber(route['mtu']),
      table: asText(route['table']),
    })),
  };
}
