import type { Attributes } from '../auth/authorize.ts';
import { type ApiPath, parseApiPath } from './api-path.ts';
import type { ApiRequest } from './api-request.ts';
import { isTrue } from './resource-call.ts';

/** What a request wants to do: the same reading for authorisation, audit, bounds and metrics. */
export interface RequestInfo {
  /** Undefined: the request is for no resource (health, discovery, metrics). */
  readonly path: ApiPath | undefined;
  readonly verb: string;
  readonly attributes: Attributes;
  /** Everything but get, list and watch. */
  readonly mutating: boolean;
}

const MAX_NAMING_SELECTOR = 1024;
const READING: ReadonlySet<string> = new Set(['get', 'list', 'watch', 'head', 'options']);

/** Read method, path and query of a request. Never throws. */
export function requestInfoOf(request: ApiRequest): RequestInfo {
  const path = parseApiPath(request.path);
  if (path === undefined || path.plural === '') {
    const reads = request.method === 'GET' || request.method === 'HEAD';
    const verb = reads ? 'get' : request.method.toLowerCase();
    return { path, verb, attributes: { verb, path: request.path }, mutating: !READING.has(verb) };
  }
  const verb = verbOf(request, path);
  return { path, verb, attributes: attributesOf(request, path, verb), mutating: !READING.has(verb) };
}

/** What a request to a resource wants to do, for RBAC; `verb` may be another one that it needs too. */
export function attributesOf(request: ApiRequest, path: ApiPath, verb: string): Attributes {
  const { group, plural: resource, name = nameOfSelector(request, verb) } = path;
  const subresource = path.subresource ?? '';
  // Upstream takes the namespace itself for something in it, so that a Role there can grant it.
  const namespace = path.namespace ?? (group === '' && resource === 'namespaces' ? name : '');
  return { verb, group, resource, subresource, namespace, name };
}

/** A list or watch of one name is a question about that name: rules with resourceNames allow it. */
function nameOfSelector(request: ApiRequest, verb: string): string {
  if (verb !== 'list' && verb !== 'watch') return '';
  const selector = request.query.get('fieldSelector');
  // A cut name would be another one: a longer selector names nobody.
  if (selector === null || selector.length > MAX_NAMING_SELECTOR) return '';
  return /(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(selector)?.[1] ?? '';
}

function verbOf(request: ApiRequest, path: ApiPath): string {
  const named = path.name !== undefined;
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      if (path.watch) return 'watch';
      if (named) return 'get';
      return isTrue(request.query.get('watch')) ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return named ? 'delete' : 'deletecollection';
    default:
      return request.method.toLowerCase();
  }
}
