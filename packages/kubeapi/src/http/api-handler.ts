import { randomUUID } from 'node:crypto';
import type { StreamedResource } from '@bloomery/kube';
import type { JsonObject } from '@bloomery/model';
import { BloomeryError, errorText, type Logger } from '@bloomery/ports';
import type { ApiEngine } from '../api-engine.ts';
import type { Authenticator } from '../auth/authenticate.ts';
import { effectiveUser } from '../auth/impersonate.ts';
import type { ServiceAccountTokens } from '../auth/tokens/service-account-tokens.ts';
import type { User } from '../auth/user.ts';
import { requireAllowed } from './access.ts';
import { type AnswerDeps, answerRequest } from './answer-request.ts';
import { statusAnswer, statusOf, unauthorized } from './answers.ts';
import { type ApiObserver, NO_OBSERVER, type RequestLabels } from './api-observer.ts';
import { type ApiAnswer, type ApiRequest, isListPieces } from './api-request.ts';
import { auditEvent, isAudited, type RequestTrail } from './audit-event.ts';
import { type BackupOptions, createBackupAnswer } from './backup-answer.ts';
import { createDocuments } from './documents.ts';
import { type HealthCheck, isHealthPath } from './health.ts';
import { requestTimeoutMs, withinDeadline } from './request-deadline.ts';
import { type RequestInfo, requestInfoOf } from './request-info.ts';
import { requestLabels } from './request-labels.ts';
import { createRequestGate, type RequestGate, type RequestLimits } from './request-limits.ts';
import type { WatchObserver } from './resource-call.ts';

export interface ApiHandlerOptions {
  readonly engine: ApiEngine;
  readonly log: Logger;
  /** `host:port` for discovery. */
  readonly serverAddress: string;
  /** Version of the product; the Kubernetes level is our own business. */
  readonly productVersion: string;
  readonly authenticator: Authenticator;
  readonly accountTokens: ServiceAccountTokens;
  /** What the health paths look at, beside `ping` and `store`. */
  readonly health?: readonly HealthCheck[];
  readonly metrics?: () => Promise<string>;
  /** Files beside the store for backups; without it there are no backups. */
  readonly backupFiles?: BackupOptions['files'];
  /** Resources that are read as streams, beside those of the registry. */
  readonly streams?: readonly StreamedResource[];
  readonly observer?: ApiObserver;
  /** Takes the audit.k8s.io/v1 Event of every request that changes something or was refused. Must not throw or wait. */
  readonly audit?: (event: JsonObject) => void;
  /** Other bounds than REQUEST_LIMITS. */
  readonly limits?: Partial<RequestLimits>;
  /** Made outside when its load is to be measured. */
  readonly gate?: RequestGate;
}

/** What all requests share. */
interface Surface {
  readonly deps: AnswerDeps;
  readonly gate: RequestGate;
  readonly observer: ApiObserver;
  readonly audit: ApiHandlerOptions['audit'];
}

/** A request on its way: what has been found out about it so far. */
interface Passage {
  readonly request: ApiRequest;
  readonly info: RequestInfo;
  readonly labels: RequestLabels;
  trail: RequestTrail;
}

/** Make the function that answers any request to the API. It never throws. */
export function createApiHandler(options: ApiHandlerOptions): (request: ApiRequest) => Promise<ApiAnswer> {
  const { engine, log } = options;
  const { clock } = engine;
  const surface: Surface = {
    deps: answerDepsOf(options),
    gate: options.gate ?? createRequestGate(clock, options.limits),
    observer: options.observer ?? NO_OBSERVER,
    audit: options.audit,
  };
  return async (request) => {
    const passage = passageOf(engine, request);
    try {
      return finish(surface, passage, await pass(surface, passage));
    } catch (error) {
      if (!(error instanceof BloomeryError))
        log.error('api.request-failed', { method: request.method, path: request.path, error: errorText(error) });
      return finish(surface, passage, statusAnswer(error), error);
    }
  };
}

function answerDepsOf(options: ApiHandlerOptions): AnswerDeps {
  const { engine, serverAddress, productVersion, authenticator, accountTokens } = options;
  const { registry, clock } = engine;
  return {
    engine,
    productVersion,
    authenticator,
    accountTokens,
    serverAddress,
    documents: createDocuments({ registry, serverAddress, clock }),
    health: [{ name: 'store', onlyReady: true, problem: () => storeProblem(engine) }, ...(options.health ?? [])],
    metrics: options.metrics,
    backup: backupOf(options),
    streams: options.streams ?? [],
  };
}

function passageOf({ registry, clock }: ApiEngine, request: ApiRequest): Passage {
  const info = requestInfoOf(request);
  const { path } = info;
  const resource = path === undefined ? undefined : registry.find(path.group, path.version, path.plural)?.resource;
  const received = { auditId: auditIdOf(request), receivedMs: clock.nowMs(), user: request.user };
  const trail: RequestTrail = { ...received, impersonated: undefined, decision: undefined, reason: '' };
  return { request, info, labels: requestLabels(request, info, resource), trail };
}

/** From the credentials to the answer: for whom, is there room, may he, and in what time. Throws API errors. */
async function pass(surface: Surface, passage: Passage): Promise<ApiAnswer> {
  const { deps, gate } = surface;
  const { engine } = deps;
  const { request, info } = passage;
  const caller = request.user;
  if (caller === undefined) throw unauthorized();
  passage.trail = { ...passage.trail, decision: 'forbid' };
  const user = effectiveUser(caller, request, (wanted) => requireAllowed(engine.authorizer, caller, wanted));
  if (user !== caller) passage.trail = { ...passage.trail, impersonated: user };
  if (info.verb === 'watch') {
    allow(engine, passage, user);
    gate.checkWatches(user);
    return answerRequest(deps, { request, info, user, watching: watchingOf(surface, passage, user) });
  }
  if (isHealthPath(request.path)) {
    // Probes never wait for a place.
    allow(engine, passage, user);
    return answerRequest(deps, { request, info, user });
  }
  const timeoutMs = requestTimeoutMs(request.query.get('timeout'));
  const entered = gate.enter(info.mutating ? 'mutating' : 'readOnly', user);
  const leave = typeof entered === 'function' ? entered : await entered;
  const work = answerAllowed(deps, passage, user).finally(leave);
  return withinDeadline(engine.clock, timeoutMs, work);
}

async function answerAllowed(deps: AnswerDeps, passage: Passage, user: User): Promise<ApiAnswer> {
  allow(deps.engine, passage, user);
  const { request, info } = passage;
  return answerRequest(deps, { request, info, user });
}

/** Ask RBAC, and note what it said. @throws 403. */
function allow({ authorizer }: ApiEngine, passage: Passage, user: User): void {
  const reason = requireAllowed(authorizer, user, passage.info.attributes);
  passage.trail = { ...passage.trail, decision: 'allow', reason };
}

/** A watch is counted from its start to its end. */
function watchingOf({ deps, gate, observer }: Surface, { labels, trail }: Passage, user: User): WatchObserver {
  return {
    started() {
      gate.watchStarted(user);
      observer.watchStarted(labels);
    },
    sent: (events, bytes) => observer.watchEvents(labels, events, bytes),
    ended() {
      gate.watchEnded(user);
      observer.watchEnded(labels);
      observer.answered(labels, 200, deps.engine.clock.nowMs() - trail.receivedMs, undefined);
    },
  };
}

function finish(surface: Surface, passage: Passage, answer: ApiAnswer, error?: unknown): ApiAnswer {
  const { deps, observer, audit } = surface;
  const { request, info, labels, trail } = passage;
  const { status: code, body } = answer;
  const endedMs = deps.engine.clock.nowMs();
  const isStream = typeof body === 'object' && !(body instanceof Uint8Array) && !isListPieces(body);
  if (!isStream || info.verb !== 'watch') observer.answered(labels, code, endedMs - trail.receivedMs, lengthOf(body));
  if (code === 429 || code === 504) observer.terminated(labels, code);
  if (audit !== undefined && isAudited(info, code)) {
    const status = error === undefined ? undefined : statusOf(error);
    audit(auditEvent(request, info, trail, { code, status, endedMs }));
  }
  return { ...answer, headers: { ...answer.headers, 'audit-id': trail.auditId } };
}

function storeProblem({ store }: ApiEngine): string | undefined {
  const health = store.health();
  return health.ok ? undefined : health.message;
}

/** Callers may name their request themselves, as upstream. */
function auditIdOf({ headers }: ApiRequest): string {
  const given = headers['audit-id'];
  return given !== undefined && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

function lengthOf(body: ApiAnswer['body']): number | undefined {
  return typeof body === 'string' || body instanceof Uint8Array ? body.length : undefined;
}

function backupOf({ engine, log, productVersion: version, backupFiles: files }: ApiHandlerOptions) {
  return files === undefined
    ? undefined
    : createBackupAnswer({ store: engine.store, clock: engine.clock, log, version, files });
}
