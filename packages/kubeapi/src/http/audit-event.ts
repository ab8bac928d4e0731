import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import type { User } from '../auth/user.ts';
import type { ApiRequest } from './api-request.ts';
import type { RequestInfo } from './request-info.ts';

/** What is known of a request when it has been answered. */
export interface RequestTrail {
  readonly auditId: string;
  readonly receivedMs: number;
  /** Undefined: wrong credentials. */
  readonly user: User | undefined;
  /** For whom it was answered, when that was another than the caller. */
  readonly impersonated: User | undefined;
  /** Undefined: it was refused before anybody was asked. */
  readonly decision: 'allow' | 'forbid' | undefined;
  readonly reason: string;
}

/** What was answered. `status` where the answer is a refusal. */
export interface TrailEnd {
  readonly code: number;
  readonly status: JsonObject | undefined;
  readonly endedMs: number;
}

const MAX_URI = 4096;
const MAX_USER_AGENT = 1024;
/** Their refusals may quote what was sent. */
const SECRET: ReadonlySet<string> = new Set(['secrets', 'tokenreviews', 'serviceaccounts/token']);

/** Whether a request belongs into the audit log: it changes something, or it was refused for who asks. */
export function isAudited(info: RequestInfo, code: number): boolean {
  return info.mutating || code === 401 || code === 403;
}

/**
 * The audit.k8s.io/v1 Event of an answered request, at level Metadata: who, what, when and the outcome. Bodies are never in it,
 * and for secrets and tokens not even the words of a refusal.
 */
export function auditEvent(request: ApiRequest, info: RequestInfo, trail: RequestTrail, end: TrailEnd): JsonObject {
  const { user, impersonated } = trail;
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    auditID: trail.auditId,
    stage: 'ResponseComplete',
    requestURI: (request.url ?? pathAndQuery(request)).slice(0, MAX_URI),
    verb: info.verb,
    user: user === undefined ? {} : userInfo(user),
    ...(impersonated === undefined ? {} : { impersonatedUser: userInfo(impersonated) }),
    ...(request.sourceAddress === undefined ? {} : { sourceIPs: [request.sourceAddress] }),
    ...(request.headers['user-agent'] === undefined
      ? {}
      : { userAgent: request.headers['user-agent'].slice(0, MAX_USER_AGENT) }),
    ...objectRef(info),
    responseStatus: responseStatus(info, trail, end),
    requestReceivedTimestamp: microTime(trail.receivedMs),
    stageTimestamp: microTime(end.endedMs),
    ...(trail.decision === undefined
      ? {}
      : {
          annotations: {
            'authorization.k8s.io/decision': trail.decision,
            'authorization.k8s.io/reason': trail.reason,
          },
        }),
  };
}

function pathAndQuery({ path, query }: ApiRequest): string {
  const search = query.toString();
  return search === '' ? path : `${path}?${search}`;
}

function userInfo({ name, uid, groups, extra }: User): JsonObject {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    groups,
    ...(extra === undefined ? {} : { extra }),
  };
}

function objectRef({ attributes, path }: RequestInfo): JsonObject {
  if ('path' in attributes || path === undefined) return {};
  const { group, resource, subresource, namespace, name } = attributes;
  return {
    objectRef: {
      resource,
      ...(namespace === '' ? {} : { namespace }),
      ...(name === '' ? {} : { name }),
      ...(group === '' ? {} : { apiGroup: group }),
      apiVersion: path.version,
      ...(subresource === '' ? {} : { subresource }),
    },
  };
}

function responseStatus(
  { attributes }: RequestInfo,
  { decision }: RequestTrail,
  { code, status }: TrailEnd,
): JsonObject {
  if (status === undefined) return { metadata: {}, code };
  const { reason, message, details } = status;
  // Of those who may not even ask nothing was read; a webhook's refusal may quote what it was shown.
  const isSecret = 'resource' in attributes && SECRET.has(resourceText(attributes)) && decision === 'allow';
  const told: JsonObject = isSecret
    ? {}
    : { message, ...(isJsonObject(details) ? { details: plainDetails(details) } : {}) };
  return { metadata: {}, status: 'Failure', ...told, reason, code };
}

/** Causes quote values; the message says as much as a log needs. */
function plainDetails({ causes: _causes, ...details }: JsonObject): Json {
  return details;
}

function resourceText({ resource, subresource }: { readonly resource: string; readonly subresource: string }): string {
  return subresource === 'token' ? `${resource}/${subresource}` : resource;
}

function microTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000Z`;
}
