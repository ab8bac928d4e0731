import type { NodeConfig, NodeDocument } from '../config/node-config.ts';

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
const LINK_KINDS: ReadonlySet<string> = new Set([
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
  return documents.filter(({ kind }) => LINK_KINDS.has(kind)).flatMap(linksOf);
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

/** The plain value as an object of keys; undefined when it is anything else. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

/** The objects of a list; what is none is left out. */
export function asRecords(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(asRecord).filter((item) => item !== undefined) : [];
}

/** Text, or a number as text; empty for anything else. */
export function asText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** A whole number of 32 bits without sign, also written as text; 0 for anything else. */
export function asNumber(value: unknown): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 0xffff_ffff ? number : 0;
}
