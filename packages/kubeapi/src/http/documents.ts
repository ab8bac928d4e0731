import { createHash } from 'node:crypto';
import type { JsonObject } from '@bloomery/model';
import type { Clock } from '@bloomery/ports';
import { writeYaml } from '@bloomery/talos';
import {
  AGGREGATED_DISCOVERY_TYPE,
  type ApiResource,
  aggregatedDiscoveryDocument,
  apiGroupDocument,
  apiGroupListDocument,
  apiResourceListDocument,
  apiVersionsDocument,
  servedResource,
} from '../discovery/index.ts';
import {
  encodeOpenApiV2,
  OPENAPI_V2_PROTOBUF_ACCEPT,
  OPENAPI_V2_PROTOBUF_TYPE,
  openApiV2Document,
  openApiV3Documents,
  openApiV3Index,
} from '../openapi/index.ts';
import { methodNotAllowed, noSuchResource } from '../pipeline/api-status.ts';
import type { Registry } from '../registry/registry.ts';
import { notAcceptable, textAnswer } from './answers.ts';
import type { ApiAnswer, ApiRequest } from './api-request.ts';
import { negotiate, PLAIN_JSON, wantsAggregatedDiscovery } from './negotiate.ts';
import { REVIEWS } from './review-kinds.ts';
import { KUBERNETES_VERSION } from './version-info.ts';

interface CachedDocument {
  readonly body: string | Uint8Array;
  readonly type: string;
  readonly etag: string;
  readonly caching: string;
}

const REVALIDATED = 'no-cache, private';
const YEAR_MS = 365 * 86_400_000;

/** What documents are made of. */
export interface DocumentDeps {
  readonly registry: Registry;
  /** `host:port` for discovery. */
  readonly serverAddress: string;
  readonly clock: Clock;
}

/**
 * Discovery and OpenAPI, built when asked for and kept until the registry changes. Documents carry an ETag, and what is asked for
 * by its hash may be kept for ever.
 *
 * @returns undefined for paths that are no document. @throws 404, 405, 406.
 */
export function createDocuments(deps: DocumentDeps): (request: ApiRequest) => ApiAnswer | undefined {
  const { registry, clock } = deps;
  let generation = 0;
  let cache = new Map<string, CachedDocument>();
  let v3: ReturnType<typeof openApiV3Documents> | undefined;

  const resources = (): readonly ApiResource[] => [
    ...registry.all().flatMap((r) => r.versions.map((v) => servedResource(v, r.rules.builtin))),
    ...REVIEWS,
  ];
  const documentsV3 = (): NonNullable<typeof v3> => {
    v3 ??= openApiV3Documents(resources(), KUBERNETES_VERSION);
    return v3;
  };

  function openApi(path: string, accept: string | undefined): CachedDocument | undefined {
    if (path === '/openapi/v3') return cached(openApiV3Index(documentsV3()));
    if (path !== '/openapi/v2') return cached(documentsV3().get(path.slice('/openapi/v3/'.length))?.document);
    const document = openApiV2Document(resources(), KUBERNETES_VERSION);
    if (!wantsOpenApiProtobuf(accept)) return cached(document);
    return tagged(encodeOpenApiV2(document), OPENAPI_V2_PROTOBUF_TYPE);
  }

  function discovery(path: string, accept: string | undefined): CachedDocument | undefined {
    const { format } = negotiate(accept) ?? PLAIN_JSON;
    const shown = (document: JsonObject | undefined): CachedDocument | undefined =>
      format === 'yaml' && document !== undefined ? tagged(writeYaml(document), 'application/yaml') : cached(document);
    if (path === '/') return shown({ paths: indexPaths(resources()) });
    const [root, group = '', version = ''] = path.slice(1).split('/');
    if (root === 'api') {
      if (group !== '') return shown(apiResourceListDocument(resources(), '', group));
      return wantsAggregatedDiscovery(accept) ? aggregated('api') : shown(apiVersionsDocument(deps.serverAddress));
    }
    if (version !== '') return shown(apiResourceListDocument(resources(), group, version));
    if (group !== '') return shown(apiGroupDocument(resources(), group));
    return wantsAggregatedDiscovery(accept) ? aggregated('apis') : shown(apiGroupListDocument(resources()));
  }

  function aggregated(at: 'api' | 'apis'): CachedDocument {
    const text = `${JSON.stringify(aggregatedDiscoveryDocument(resources(), at))}\n`;
    return { ...tagged(text, AGGREGATED_DISCOVERY_TYPE), caching: 'public' };
  }

  function find(path: string, accept: string | undefined): CachedDocument | undefined {
    if (generation !== registry.generation) {
      generation = registry.generation;
      cache = new Map();
      v3 = undefined;
    }
    const key = `${variantOf(accept)} ${path}`;
    const document = cache.get(key) ?? (path.startsWith('/openapi/') ? openApi : discovery)(path, accept);
    if (document !== undefined) cache.set(key, document);
    return document;
  }

  return (request) => {
    const path = request.path.length > 1 ? request.path.replace(/\/+$/, '') : request.path;
    if (!isDocumentPath(path)) return undefined;
    if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed();
    const accept = request.headers['accept'];
    // Only the documents of OpenAPI v3 are there in one form, whatever is asked for.
    const isOneForm = path === '/openapi/v3' || path.startsWith('/openapi/v3/');
    if (!isOneForm && variantOf(accept) === undefined) throw notAcceptable();
    const document = find(path, accept);
    if (document === undefined) {
      // Upstream knows nothing of a group before it is there, and says so in plain text.
      if (/^\/apis\/[^/]+$/.test(path)) return textAnswer(404, '404 page not found\n');
      throw noSuchResource();
    }
    const caching = path.startsWith('/openapi/v3/') ? hashCaching(request, path, clock) : undefined;
    return documentAnswer(request, document, caching);
  };

  /** Who asks for a document by the hash that the index gave may keep the answer; a hash of yesterday is led to that of today. */
  function hashCaching(request: ApiRequest, path: string, now: Clock): Caching | undefined {
    const asked = request.query.get('hash');
    const hash = documentsV3().get(path.slice('/openapi/v3/'.length))?.hash;
    if (asked === null || hash === undefined) return undefined;
    if (asked !== hash) return { location: `${path}?hash=${hash}` };
    const expires = new Date(now.nowMs() + YEAR_MS).toUTCString();
    return { headers: { 'cache-control': 'public, immutable', expires } };
  }
}

type Caching = { readonly headers: ApiAnswer['headers'] } | { readonly location: string };

function documentAnswer(request: ApiRequest, document: CachedDocument, caching: Caching | undefined): ApiAnswer {
  const { type, etag, body } = document;
  const plain = { 'content-type': type, etag, vary: 'Accept', 'cache-control': document.caching };
  if (caching !== undefined && 'location' in caching)
    return { status: 301, headers: { ...plain, location: caching.location }, body: '' };
  const headers = caching === undefined ? plain : { ...plain, ...caching.headers };
  if (request.headers['if-none-match'] === etag) return { status: 304, headers, body: '' };
  return { status: 200, headers, body };
}

/** Accept headers that get the same bytes; undefined: none that there are. */
function variantOf(accept: string | undefined): string | undefined {
  if (wantsAggregatedDiscovery(accept)) return 'aggregated';
  if (wantsOpenApiProtobuf(accept)) return 'protobuf';
  return negotiate(accept)?.format;
}

function wantsOpenApiProtobuf(accept: string | undefined): boolean {
  return accept?.includes(OPENAPI_V2_PROTOBUF_ACCEPT) === true;
}

function isDocumentPath(path: string): boolean {
  if (path === '/' || path === '/openapi/v2' || path === '/openapi/v3' || path.startsWith('/openapi/v3/')) return true;
  return /^\/(?:api(?:\/[^/]+)?|apis(?:\/[^/]+){0,2})$/.test(path);
}

/** `/`: what there is to ask for. */
function indexPaths(resources: readonly ApiResource[]): readonly string[] {
  const paths = new Set(['/.well-known/openid-configuration', '/api', '/apis', '/healthz', '/livez', '/metrics']);
  for (const path of ['/openapi/v2', '/openapi/v3', '/openid/v1/jwks', '/readyz', '/version']) paths.add(path);
  for (const { group, version } of resources) {
    if (group === '') paths.add(`/api/${version}`);
    else paths.add(`/apis/${group}`).add(`/apis/${group}/${version}`);
  }
  return [...paths].sort();
}

function cached(document: JsonObject | undefined): CachedDocument | undefined {
  return document === undefined ? undefined : tagged(`${JSON.stringify(document)}\n`, 'application/json');
}

function tagged(body: string | Uint8Array, type: string): CachedDocument {
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 32).toUpperCase()}"`;
  return { body, type, etag, caching: REVALIDATED };
}
