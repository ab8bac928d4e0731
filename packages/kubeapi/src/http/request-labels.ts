import type { Resource } from '../registry/resource.ts';
import type { RequestLabels } from './api-observer.ts';
import type { ApiRequest } from './api-request.ts';
import type { RequestInfo } from './request-info.ts';

const VERBS: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
};
const ROOTS: ReadonlySet<string> = new Set([
  'api',
  'apis',
  'openapi',
  'healthz',
  'livez',
  'readyz',
  'version',
  'metrics',
]);

/**
 * The labels of a request. Names come from what is served only: an unknown resource, path or method gets an empty label, so that
 * nobody can make the metrics grow.
 */
export function requestLabels(request: ApiRequest, info: RequestInfo, resource: Resource | undefined): RequestLabels {
  const { path } = info;
  const served = resource === undefined ? undefined : path;
  const verb = VERBS[info.verb] ?? 'other';
  const isApply =
    info.verb === 'patch' && request.headers['content-type']?.startsWith('application/apply-patch') === true;
  return {
    verb: isApply ? 'APPLY' : verb,
    group: served?.group ?? '',
    version: served?.version ?? '',
    resource: served?.plural ?? '',
    subresource: served === undefined ? rootOf(request.path) : subresourceOf(served.subresource),
    scope: served === undefined ? '' : scopeOf(info),
    dryRun: info.mutating && request.query.get('dryRun') === 'All',
  };
}

function rootOf(path: string): string {
  const root = path.split('/', 2)[1] ?? '';
  return ROOTS.has(root) ? `/${root}` : '';
}

const SUBRESOURCES: ReadonlySet<string> = new Set([
  'status',
  'scale',
  'finalize',
  'token',
  'approval',
  'eviction',
  'binding',
]);

function subresourceOf(name: string | undefined): string {
  return name !== undefined && SUBRESOURCES.has(name) ? name : '';
}

function scopeOf({ path, verb }: RequestInfo): RequestLabels['scope'] {
  if (path?.name !== undefined || verb === 'create') return 'resource';
  return path?.namespace === undefined ? 'cluster' : 'namespace';
}
