import type { StreamedResource } from '@bloomery/kube';
import type { ApiEngine } from '../api-engine.ts';
import type { Authenticator } from '../auth/authenticate.ts';
import type { ServiceAccountTokens } from '../auth/tokens/service-account-tokens.ts';
import { methodNotAllowed, noSuchResource } from '../pipeline/api-status.ts';
import { shownAnswer, textAnswer } from './answers.ts';
import type { ApiPath } from './api-path.ts';
import type { ApiAnswer, ApiRequest } from './api-request.ts';
import { BACKUP_PATH, type createBackupAnswer } from './backup-answer.ts';
import type { createDocuments } from './documents.ts';
import { type HealthCheck, healthAnswer, isHealthPath } from './health.ts';
import { issuerDocument } from './issuer-documents.ts';
import type { RequestInfo } from './request-info.ts';
import type { ResourceCall } from './resource-call.ts';
import { handleResource } from './resource-handler.ts';
import { reviewAt } from './review-kinds.ts';
import { handleReview } from './reviews.ts';
import { streamAnswer } from './stream-answer.ts';
import { handleTokenRequest, isTokenPath } from './token-request.ts';
import { versionInfo } from './version-info.ts';

/** What answering needs beside the request. */
export interface AnswerDeps {
  readonly engine: ApiEngine;
  readonly productVersion: string;
  readonly authenticator: Authenticator;
  readonly accountTokens: ServiceAccountTokens;
  /** `host:port` where this API is reached. */
  readonly serverAddress: string;
  readonly documents: ReturnType<typeof createDocuments>;
  readonly health: readonly HealthCheck[];
  readonly metrics: (() => Promise<string>) | undefined;
  readonly backup: ReturnType<typeof createBackupAnswer> | undefined;
  readonly streams: readonly StreamedResource[];
}

/** A request that was let in: by whom, and what sees the lines of its watch. */
export interface AllowedRequest extends Pick<ResourceCall, 'request' | 'user' | 'watching'> {
  readonly info: RequestInfo;
}

/** Answer a request that its user may make. Throws API errors. */
export async function answerRequest(deps: AnswerDeps, allowed: AllowedRequest): Promise<ApiAnswer> {
  const { engine } = deps;
  const { request, info, user } = allowed;
  const { path } = info;
  if (deps.backup !== undefined && request.path === BACKUP_PATH) return deps.backup(request, user);
  if (path === undefined || path.plural === '') return documentAnswer(deps, request, path);
  const review = reviewAt(path.group, path.version, path.plural);
  if (review !== undefined) {
    return handleReview({ engine, authenticator: deps.authenticator, request, path, resource: review, user });
  }
  if (isTokenPath(path)) return handleTokenRequest({ engine, accountTokens: deps.accountTokens, request, path });
  const streamed = deps.streams.find((one) => one.plural === path.plural && isVersionOf(one, path));
  if (streamed !== undefined) return streamAnswer(streamed, request, path, user);
  const found = engine.registry.find(path.group, path.version, path.plural);
  if (found === undefined) return unknownResource(engine, path);
  const { watching } = allowed;
  return handleResource({ engine, request, user, path, ...found, ...(watching === undefined ? {} : { watching }) });
}

function isVersionOf(streamed: StreamedResource, { group, version }: ApiPath): boolean {
  return streamed.group === group && streamed.version === version;
}

/** Groups of Kubernetes answer with a Status for what they have not, all others as if the path were none. */
function unknownResource(engine: AnswerDeps['engine'], path: ApiPath): ApiAnswer {
  const isBuiltin = (group: string): boolean =>
    engine.registry.all().some((resource) => resource.group === group && resource.rules.builtin);
  if (path.group === '' || isBuiltin(path.group)) throw noSuchResource();
  return textAnswer(404, '404 page not found\n');
}

function documentAnswer(
  deps: AnswerDeps,
  request: ApiRequest,
  path: ApiPath | undefined,
): ApiAnswer | Promise<ApiAnswer> {
  if (isHealthPath(request.path)) return healthAnswer(request.path, request.query, deps.health);
  const reads = request.method === 'GET' || request.method === 'HEAD';
  const plain = plainPath(request.path);
  if (plain === '/version') {
    if (!reads) throw methodNotAllowed();
    return shownAnswer(200, versionInfo(deps.productVersion), { shape: 'object', format: 'json', pretty: true });
  }
  if (plain === '/metrics' && deps.metrics !== undefined) {
    if (!reads) throw methodNotAllowed();
    return deps.metrics().then((body) => ({ ...textAnswer(200, body), headers: METRICS_HEADERS }));
  }
  const document = deps.documents(request) ?? issuerDocument(request, deps.accountTokens, deps.serverAddress);
  if (document !== undefined) return document;
  if (path !== undefined || plain.startsWith('/version/')) throw noSuchResource();
  return textAnswer(404, '404 page not found\n');
}

const METRICS_HEADERS = {
  'content-type': 'text/plain; version=0.0.4; charset=utf-8',
  'cache-control': 'no-cache, private',
} as const;

function plainPath(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.replace(/\/+$/, '') : path;
}
