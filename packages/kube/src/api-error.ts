import type { JsonObject } from '@bloomery/model';
import { BloomeryError, type ErrorCode } from '@bloomery/ports';

/** A Kubernetes Status object as far as this project reads it. */
export interface KubeStatus {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: JsonObject;
  /** ListMeta: where an expired list can go on. */
  readonly metadata?: JsonObject;
}

const CODE_BY_REASON: Readonly<Record<string, ErrorCode>> = {
  AlreadyExists: 'BLM_API_ALREADY_EXISTS',
  BadRequest: 'BLM_API_BAD_REQUEST',
  Conflict: 'BLM_API_CONFLICT',
  Expired: 'BLM_API_EXPIRED',
  Forbidden: 'BLM_API_FORBIDDEN',
  Gone: 'BLM_API_EXPIRED',
  Invalid: 'BLM_API_INVALID',
  MethodNotAllowed: 'BLM_API_METHOD_NOT_ALLOWED',
  NotAcceptable: 'BLM_API_UNSUPPORTED_MEDIA',
  NotFound: 'BLM_API_NOT_FOUND',
  RequestEntityTooLarge: 'BLM_API_TOO_LARGE',
  Unauthorized: 'BLM_API_UNAUTHORIZED',
  UnsupportedMediaType: 'BLM_API_UNSUPPORTED_MEDIA',
};

const REASON_BY_HTTP_CODE: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const RETRYABLE: ReadonlySet<ErrorCode> = new Set(['BLM_API_CONFLICT', 'BLM_API_EXPIRED', 'BLM_API_UNAVAILABLE']);

/**
 * The error for a Kubernetes Status: every ObjectClient refuses with this. `facts.status` is the whole Status object.
 * An unknown or empty reason is taken from the HTTP code; what is neither becomes BLM_API_UNAVAILABLE.
 */
export function apiError(status: KubeStatus, cause?: unknown): BloomeryError {
  const reason = status.reason === '' ? (REASON_BY_HTTP_CODE[status.code] ?? 'Unknown') : status.reason;
  const code = CODE_BY_REASON[reason] ?? 'BLM_API_UNAVAILABLE';
  return new BloomeryError(code, status.message, {
    retryable: RETRYABLE.has(code),
    facts: { status: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', ...status, reason } },
    ...(cause === undefined ? {} : { cause }),
  });
}
