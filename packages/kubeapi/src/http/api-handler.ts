import { apiError } from '@bloomery/kube';
import { isJsonObject } from '@bloomery/model';
import { BloomeryError, errorText, type Logger } from '@bloomery/ports';
import type { ApiEngine } from '../api-engine.ts';
import type { StaticToken } from '../auth/authenticate.ts';
import { type Attributes, isAllowed } from '../auth/authorize.ts';
import { effectiveUser } from '../auth/impersonate.ts';
import type { User } from '../auth/user.ts';
import { badRequest, methodNotAllowed, noSuchResource } from '../pipeline/api-status.ts';
import type { Resource } from '../registry/resource.ts';
import { jsonAnswer, statusAnswer, unauthorized } from './answers.ts';
import { type ApiPath, parseApiPath } from './api-path.ts';
import type { ApiAnswer, ApiRequest } from './api-request.ts';
import { createDocuments } from './documents.ts';
import { decodeBody } from './read-body.ts';
import { isTrue } from './resource-call.ts';
import { handleResource } from './resource-handler.ts';
import { answerReview, REVIEWS } from './reviews.ts';

export interface ApiHandlerOptions {
  readonly engine: ApiEngine;
  readonly log: Logger;
  /** `host:port` for discovery. */
  readonly serverAddress: string;
  /** Version of the product; the Kubernetes level is our own business. */
  readonly productVersion: string;
  readonly tokens: readonly StaticToken[];
  /** Parts that are not ready yet, by name; empty means ready. */
  readonly notReady: () => readonly string[];
  readonly metrics?: () => Promise<string>;
  /** Called once for each answered request. */
  readonly observe?: (request: { readonly verb: string; readonly resource: string; readonly code: number }) => void;
}

/** The Kubernetes level whose semantics this server follows. */
export const KUBERNETES_VERSION = 'v1.34.4';

/** Make the function that answers any request to the API. It never throws. */
export function createApiHandler(options: ApiHandlerOptions): (request: ApiRequest) => Promise<ApiAnswer> {
  const { engine, log } = options;
  const documents = createDocuments(engine.registry, options.serverAddress, options.productVersion);

  async function answer(request: ApiRequest): Promise<ApiAnswer> {
    const { user: caller } = request;
    if (caller === undefined) throw unauthorized();
    const user = effectiveUser(caller, request.headers, (wanted) => requireAllowed(engine, caller, wanted));
    const path = parseApiPath(request.path);
    requireAllowed(engine, user, attributesOf(request, path));
    const plain = plainAnswer(request);
    if (plain !== undefined) return plain;
    const document = documents(request);
    if (document !== undefined) return document;
    if (path === undefined || path.plural === '') throw noSuchResource();
    const isReview = REVIEWS.some(
      (r) => r.group === path.group && r.version === path.version && r.plural === path.plural,
    );
    if (isReview) return reviewAnswer(request, path, user);
    if (path.group === '' && path.plural === 'serviceaccounts' && path.subresource === 'token')
      throw methodNotAllowed(NO_TOKENS);
    const found = engine.registry.find(path.group, path.version, path.plural);
    if (found === undefined) throw noSuchResource();
    if (isCreatingApply(request, path, engine, found.resource))
      requireAllowed(engine, user, attributesOf(request, path, 'create'));
    return handleResource({ engine, request, path, ...found });
  }

  function plainAnswer(request: ApiRequest): ApiAnswer | Promise<ApiAnswer> | undefined {
    const [, root = ''] = request.path.split('/');
    switch (root) {
      case 'healthz':
      case 'livez':
      case 'readyz':
        return healthAnswer(root === 'readyz' ? options.notReady() : [], request.query.has('verbose'));
      case 'version':
        return jsonAnswer(200, versionInfo(options.productVersion));
      case 'metrics':
        return options.metrics === undefined
          ? undefined
          : options
              .metrics()
              .then((body) => ({ status: 200, headers: { 'content-type': 'text/plain; version=0.0.4' }, body }));
      default:
        return undefined;
    }
  }

  async function reviewAnswer(request: ApiRequest, path: ApiPath, user: User): Promise<ApiAnswer> {
    if (request.method !== 'POST' || path.name !== undefined) throw methodNotAllowed();
    const body = decodeBody(await request.body(), request.headers['content-type']);
    if (!isJsonObject(body)) throw badRequest('the review must be an object');
    return jsonAnswer(201, answerReview(path.plural, body, { store: engine.store, user, tokens: options.tokens }));
  }

  return async (request) => {
    let result: ApiAnswer;
    try {
      result = await answer(request);
    } catch (error) {
      if (!(error instanceof BloomeryError))
        log.error('api.request-failed', { method: request.method, path: request.path, error: errorText(error) });
      result = statusAnswer(error);
    }
    const path = parseApiPath(request.path);
    options.observe?.({ verb: verbOf(request, path), resource: path?.plural ?? '', code: result.status });
    return result;
  };
}

const NO_TOKENS =
  'tokens for service accounts are not offered yet; use the client certificate of DIR/kubeconfig or a token of DIR/pki/tokens.csv';

/** What a request wants to do, for RBAC. */
function attributesOf(request: ApiRequest, path: ApiPath | undefined, verb = verbOf(request, path)): Attributes {
  if (path === undefined || path.plural === '') {
    const reads = request.method === 'GET' || request.method === 'HEAD';
    return { verb: reads ? 'get' : request.method.toLowerCase(), path: request.path };
  }
  const { group, plural: resource, subresource = '', name = '' } = path;
  // Upstream takes the namespace itself for something in it, so that a Role there can grant it.
  const namespace = path.namespace ?? (group === '' && resource === 'namespaces' ? name : '');
  return { verb, group, resource, subresource, namespace, name };
}

function requireAllowed(engine: ApiEngine, user: User, attributes: Attributes): void {
  if (isAllowed(engine.store, user, attributes)) return;
  throw apiError({
    code: 403,
    reason: 'Forbidden',
    message: forbiddenText(user, attributes),
    details: forbiddenDetails(attributes),
  });
}

/** An apply to what is not there creates it. */
function isCreatingApply(request: ApiRequest, path: ApiPath, engine: ApiEngine, resource: Resource): boolean {
  const { name, namespace = '', subresource } = path;
  if (request.method !== 'PATCH' || name === undefined || subresource !== undefined) return false;
  if (request.headers['content-type']?.startsWith('application/apply-patch') !== true) return false;
  const id = { resource: resource.id, namespace: resource.namespaced ? namespace : '', name };
  return engine.store.head(id) === undefined;
}

function forbiddenText(user: User, attributes: Attributes): string {
  const who = `User ${JSON.stringify(user.name)} cannot ${attributes.verb}`;
  if ('path' in attributes) return `forbidden: ${who} path ${JSON.stringify(attributes.path)}`;
  const { group, resource, subresource, namespace, name } = attributes;
  const full = `${resource}${subresource === '' ? '' : `/${subresource}`}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  const what = `${resource}${group === '' ? '' : `.${group}`}${name === '' ? '' : ` ${JSON.stringify(name)}`}`;
  return `${what} is forbidden: ${who} resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${where}`;
}

function forbiddenDetails(attributes: Attributes) {
  if ('path' in attributes) return {};
  const { group, resource, name } = attributes;
  return { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: resource };
}

function verbOf(request: ApiRequest, path: ApiPath | undefined): string {
  const named = path?.name !== undefined;
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      if (isTrue(request.query.get('watch'))) return 'watch';
      return named ? 'get' : 'list';
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

function healthAnswer(notReady: readonly string[], verbose: boolean): ApiAnswer {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache, private' };
  if (notReady.length > 0) {
    return {
      status: 500,
      headers,
      body: `${notReady.map((name) => `[-]${name} not ready`).join('\n')}\nreadyz check failed\n`,
    };
  }
  return { status: 200, headers, body: verbose ? '[+]ping ok\n[+]store ok\nreadyz check passed\n' : 'ok' };
}

function versionInfo(productVersion: string) {
  const [, major = '1', minor = '34'] = /^v(\d+)\.(\d+)/.exec(KUBERNETES_VERSION) ?? [];
  return {
    major,
    minor,
    gitVersion: `${KUBERNETES_VERSION}+bloomery-${productVersion}`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: 'none',
    compiler: 'none',
    platform: 'linux/amd64',
  };
}
