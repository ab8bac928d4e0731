import { randomUUID } from 'node:crypto';
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
  readonly observer?: ApiObserver;
  /** Takes the audit.k8s.io/v1 Event of every request that changes something or was refused. Must not throw or wait. */
  readonly audit?: (event: JsonObject) => void;
  /** Other bounds than REQUEST_LIMITS. */
  readonly limits?: Partial<RequestLimits>;
  /** Made outside when its load is to be measured. */
  readonly gate?: RequestGate;
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
  const { engine, log, observer = NO_OBSERVER } = options;
  const { clock, registry } = engine;
  const gate = options.gate ?? createRequestGate(clock, options.limits);
  const deps: AnswerDeps = {
    engine,
    productVersion: options.productVersion,
    authenticator: options.authenticator,
    accountTokens: options.accountTokens,
    serverAddress: options.serverAddress,
    documents: createDocuments({ registry, serverAddress: options.serverAddress, clock }),
    health: [{ name: 'store', onlyReady: true, problem: () => storeProblem(engine) }, ...(options.health ?? [])],
    metrics: options.metrics,
    backup: backupOf(options),
  };

  async function pass(passage: Passage): Promise<ApiAnswer> {
    const { request, info } = passage;
    const caller = request.user;
    if (caller === undefined) throw unauthorized();
    if (isHealthPath(request.path) && isWideOpen(caller, info))
      return answerRequest(deps, { request, info, user: caller });
    const user = effectiveUser(caller, request, (wanted) => requireAllowed(engine.authorizer, caller, wanted));
    passage.trail = {
      ...passage.trail,
      user: caller,
      impersonated: user === caller ? undefined : user,
      decision: 'forbid',
    };
    if (info.verb === 'watch') {
      allow(passage, user);
      gate.checkWatches(user);
      return watched(passage, user, await answerRequest(deps, { request, info, user, onEvents: eventsOf(passage) }));
    }
    const timeoutMs = requestTimeoutMs(request.query.get('timeout'));
    const entered = gate.enter(info.mutating ? 'mutating' : 'readOnly', user);
    const leave = typeof entered === 'function' ? entered : await entered;
    allowOrLeave(passage, user, leave);
    const work = answerRequest(deps, { request, info, user }).finally(leave);
    return withinDeadline(clock, timeoutMs, work);
  }

  /** Probes never wait for a place. */
  function isWideOpen(user: User, { attributes }: RequestInfo): boolean {
    requireAllowed(engine.authorizer, user, attributes);
    return true;
  }

  function allow(passage: Passage, user: User): void {
    const reason = requireAllowed(engine.authorizer, user, passage.info.attributes);
    passage.trail = { ...passage.trail, decision: 'allow', reason };
  }

  function allowOrLeave(passage: Passage, user: User, leave: () => void): void {
    try {
      allow(passage, user);
    } catch (error) {
      leave();
      throw error;
    }
  }

  function eventsOf({ labels }: Passage): (events: number, bytes: number) => void {
    return (events, bytes) => observer.watchEvents(labels, events, bytes);
  }

  /** A watch is counted from its first line to its end. */
  function watched({ labels, trail }: Passage, user: User, answer: ApiAnswer): ApiAnswer {
    const { body } = answer;
    if (typeof body === 'string' || body instanceof Uint8Array || isListPieces(body)) return answer;
    async function* counted(lines: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      gate.watchStarted(user);
      observer.watchStarted(labels);
      try {
        yield* lines;
      } finally {
        gate.watchEnded(user);
        observer.watchEnded(labels);
        observer.answered(labels, 200, clock.nowMs() - trail.receivedMs, undefined);
      }
    }
    return { ...answer, body: counted(body) };
  }

  function finish({ request, info, labels, trail }: Passage, answer: ApiAnswer, error: unknown): ApiAnswer {
    const { status: code, body } = answer;
    const endedMs = clock.nowMs();
    const isStream = typeof body === 'object' && !(body instanceof Uint8Array) && !isListPieces(body);
    if (!isStream) observer.answered(labels, code, endedMs - trail.receivedMs, lengthOf(body));
    if (code === 429 || code === 504) observer.terminated(labels, code);
    if (options.audit !== undefined && isAudited(info, code)) {
      const status = error === undefined ? undefined : statusOf(error);
      options.audit(auditEvent(request, info, trail, { code, status, endedMs }));
    }
    return { ...answer, headers: { ...answer.headers, 'audit-id': trail.auditId } };
  }

  return async (request) => {
    const info = requestInfoOf(request);
    const { path } = info;
    const resource = path === undefined ? undefined : registry.find(path.group, path.version, path.plural)?.resource;
    const auditId = auditIdOf(request);
    const received = { auditId, receivedMs: clock.nowMs(), user: request.user };
    const trail: RequestTrail = { ...received, impersonated: undefined, decision: undefined, reason: '' };
    const passage: Passage = { request, info, labels: requestLabels(request, info, resource), trail };
    try {
      return finish(passage, await pass(passage), undefined);
    } catch (error) {
      if (!(error instanceof BloomeryError))
        log.error('api.request-failed', { method: request.method, path: request.path, error: errorText(error) });
      return finish(passage, statusAnswer(error), error);
    }
  };
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
