/** How an object is to be shown. */
export type Representation = 'object' | 'table' | 'metadata';

interface Alternative {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_ACCEPT = 4096;

/** Split an Accept header into its alternatives, in order. */
export function parseAccept(header: string | undefined): readonly Alternative[] {
  if (header === undefined || header.trim() === '') return [{ type: '*/*', parameters: new Map() }];
  return header
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
}

/**
 * Pick the first alternative that can be served: JSON objects, Tables and PartialObjectMetadata of meta.k8s.io/v1.
 *
 * @returns undefined when none can be (406).
 */
export function negotiate(header: string | undefined): Representation | undefined {
  for (const { type, parameters } of parseAccept(header)) {
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue;
    const as = parameters.get('as');
    if (as === undefined) return 'object';
    if (parameters.get('g') !== 'meta.k8s.io' || parameters.get('v') !== 'v1') continue;
    if (as === 'Table') return 'table';
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return 'metadata';
  }
  return undefined;
}

/** Whether the aggregated discovery document (v2) is asked for. */
export function wantsAggregatedDiscovery(header: string | undefined): boolean {
  for (const { type, parameters } of parseAccept(header)) {
    if (type !== 'application/json') continue;
    const as = parameters.get('as');
    if (as === undefined) return false;
    if (as === 'APIGroupDiscoveryList' && parameters.get('v') === 'v2' && parameters.get('g') === 'apidiscovery.k8s.io')
      return true;
  }
  return false;
}
