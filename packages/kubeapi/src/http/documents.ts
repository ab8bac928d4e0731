import { createHash } from 'node:crypto';
import type { JsonObject } from '@bloomery/model';
import {
  AGGREGATED_DISCOVERY_TYPE,
  type ApiResource,
  aggregatedDiscoveryDocument,
  apiGroupDocument,
  apiGroupListDocument,
  apiResourceListDocument,
  apiVersionsDocument,
} from '../discovery/index.ts';
import {
  encodeOpenApiV2,
  OPENAPI_V2_PROTOBUF_ACCEPT,
  OPENAPI_V2_PROTOBUF_TYPE,
  openApiV2Document,
  openApiV3Documents,
  openApiV3Index,
} from '../openapi/index.ts';
import { noSuchResource } from '../pipeline/api-status.ts';
import type { Registry } from '../registry/registry.ts';
import type { ApiAnswer, ApiRequest } from './api-request.ts';
import { wantsAggregatedDiscovery } from './negotiate.ts';
import { REVIEWS } from './review-kinds.ts';

interface CachedDocument {
  readonly body: string | Uint8Array;
  readonly type: string;
  readonly etag: string;
}

/** Discovery and OpenAPI, built when asked for and kept until the registry changes. */
export function createDocuments(
  registry: Registry,
  serverAddress: string,
  serverVersion: string,
): (request: ApiRequest) => ApiAnswer | undefined {
  let generation = 0;
  let cache = new Map<string, CachedDocument>();
  let v3: ReturnType<typeof openApiV3Documents> | undefined;

  const resources = (): readonly ApiResource[] => [
    ...registry.all().flatMap((r) => r.versions.map((v): ApiResource => v)),
    ...REVIEWS,
  ];
  const documentsV3 = (): NonNullable<typeof v3> => {
    v3 ??= openApiV3Documents(resources(), serverVersion);
    return v3;
  };

  function build(path: string, accept: string | undefined): CachedDocument | undefined {
    const json = (document: JsonObject | undefined, type = 'application/json'): CachedDocument | undefined =>
      document === undefined ? undefined : cached(`${JSON.stringify(document)}\n`, type);
    const parts = path.split('/').filter(Boolean);
    if (path === '/api' || path === '/apis') {
      const at = path === '/api' ? 'api' : 'apis';
      if (wantsAggregatedDiscovery(accept))
        return json(aggregatedDiscoveryDocument(resources(), at), AGGREGATED_DISCOVERY_TYPE);
      return json(at === 'api' ? apiVersionsDocument(serverAddress) : apiGroupListDocument(resources()));
    }
    if (parts[0] === 'api' && parts.length === 2) return json(apiResourceListDocument(resources(), '', parts[1] ?? ''));
    if (parts[0] === 'apis' && parts.length === 2) return json(apiGroupDocument(resources(), parts[1] ?? ''));
    if (parts[0] === 'apis' && parts.length === 3) {
      return json(apiResourceListDocument(resources(), parts[1] ?? '', parts[2] ?? ''));
    }
    if (path === '/openapi/v3') return json(openApiV3Index(documentsV3()));
    if (path.startsWith('/openapi/v3/')) return json(documentsV3().get(path.slice('/openapi/v3/'.length))?.document);
    if (path === '/openapi/v2') {
      const document = openApiV2Document(resources(), serverVersion);
      if (accept?.includes(OPENAPI_V2_PROTOBUF_ACCEPT) === true)
        return cached(encodeOpenApiV2(document), OPENAPI_V2_PROTOBUF_TYPE);
      return json(document);
    }
    return undefined;
  }

  return (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
    const path = request.path.length > 1 ? request.path.replace(/\/+$/, '') : request.path;
    if (!isDocumentPath(path)) return undefined;
    if (generation !== registry.generation) {
      generation = registry.generation;
      cache = new Map();
      v3 = undefined;
    }
    const accept = request.headers['accept'];
    const variant = wantsAggregatedDiscovery(accept)
      ? 'aggregated'
      : accept?.includes(OPENAPI_V2_PROTOBUF_ACCEPT) === true
        ? 'protobuf'
        : 'json';
    const key = `${variant} ${path}`;
    const document = cache.get(key) ?? build(path, accept);
    if (document === undefined) throw noSuchResource();
    cache.set(key, document);
    const headers = {
      'content-type': document.type,
      etag: document.etag,
      vary: 'Accept',
      'cache-control': 'no-cache, private',
    };
    if (request.headers['if-none-match'] === document.etag) return { status: 304, headers, body: '' };
    return { status: 200, headers, body: document.body };
  };
}

function isDocumentPath(path: string): boolean {
  if (path === '/api' || path === '/apis' || path.startsWith('/openapi/')) return true;
  const parts = path.split('/').filter(Boolean);
  return (parts[0] === 'api' && parts.length === 2) || (parts[0] === 'apis' && parts.length <= 3);
}

function cached(body: string | Uint8Array, type: string): CachedDocument {
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 32).toUpperCase()}"`;
  return { body, type, etag };
}
