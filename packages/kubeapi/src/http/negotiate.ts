/** What is to be shown: whole objects, rows of a Table, metadata only (of one object, or of a list). */
export type Shape = 'object' | 'table' | 'metadata' | 'metadataList';

/** How an answer is to be written. */
export interface Representation {
  readonly shape: Shape;
  readonly format: 'json' | 'yaml';
  /** Indented, for people. */
  readonly pretty: boolean;
}

/** JSON objects on one line: what nearly every caller gets. */
export const PLAIN_JSON: Representation = { shape: 'object', format: 'json', pretty: false };

interface Alternative {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_ACCEPT = 4096;
const FORMATS: ReadonlyMap<string, Representation['format']> = new Map([
  ['application/json', 'json'],
  ['application/yaml', 'yaml'],
  ['*/*', 'json'],
  ['application/*', 'json'],
]);

/** Split an Accept header into its alternatives: the wanted ones first, those of equal weight in their order. */
function parseAccept(header: string | undefined): readonly Alternative[] {
  if (header === undefined || header.trim() === '') return [{ type: '*/*', parameters: new Map() }];
  const alternatives = header
    .slice(0, MAX_ACCEPT)
    .split(',')
    .map((part) => {
      const [type = '', ...parameters] = part.split(';').map((p) => p.trim());
      const pairs = parameters.map((p): [string, string] => {
        const at = p.indexOf('=');
        return at < 0 ? [p, ''] : [p.slice(0, at), p.slice(at + 1)];
      });
      return { type: type.toLowerCase(), parameters: new Map(pairs) };
    });
  return alternatives.filter((a) => weightOf(a) > 0).sort((a, b) => weightOf(b) - weightOf(a));
}

/** An absent or unreadable weight is 1 (RFC 9110 section 12.4.2). */
function weightOf({ parameters }: Alternative): number {
  const text = parameters.get('q');
  if (text === undefined) return 1;
  const weight = Number(text);
  return weight >= 0 && weight <= 1 ? weight : 1;
}

/**
 * Pick the first alternative that can be served: JSON or YAML, of whole objects, Tables and PartialObjectMetadata of
 * meta.k8s.io/v1. Protobuf, CBOR and v1beta1 are passed over.
 *
 * @returns undefined when none can be (406).
 */
export function negotiate(header: string | undefined): Representation | undefined {
  // What client-go, controller-runtime and curl send most.
  if (header === undefined || header === 'application/json' || header === '*/*') return PLAIN_JSON;
  for (const { type, parameters } of parseAccept(header)) {
    const format = FORMATS.get(type);
    if (format === undefined) continue;
    const shape = shapeOf(parameters);
    if (shape !== undefined) return { shape, format, pretty: parameters.get('pretty') === '1' };
  }
  return undefined;
}

function shapeOf(parameters: ReadonlyMap<string, string>): Shape | undefined {
  const as = parameters.get('as');
  if (as === undefined) return 'object';
  if (parameters.get('g') !== 'meta.k8s.io' || parameters.get('v') !== 'v1') return undefined;
  if (as === 'Table') return 'table';
  if (as === 'PartialObjectMetadata') return 'metadata';
  return as === 'PartialObjectMetadataList' ? 'metadataList' : undefined;
}

/** Whether an answer is to be indented: `?pretty=` decides, else the programs that people read answers with. */
export function isPretty(pretty: string | null, userAgent: string | undefined): boolean {
  if (pretty !== null && pretty !== '') return /^(?:1|t|true)$/i.test(pretty);
  return userAgent !== undefined && /^(?:curl|Wget|Mozilla\/5\.0)/.test(userAgent);
}

/** Whether the aggregated discovery document (v2) is asked for. */
export function wantsAggregatedDiscovery(header: string | undefined): boolean {
  if (header?.includes('apidiscovery') !== true) return false;
  for (const { type, parameters } of parseAccept(header)) {
    if (type !== 'application/json') continue;
    const as = parameters.get('as');
    if (as === undefined) return false;
    if (as === 'APIGroupDiscoveryList' && parameters.get('v') === 'v2' && parameters.get('g') === 'apidiscovery.k8s.io')
      return true;
  }
  return false;
}
