import { BloomeryError, type ErrorCode, isBloomeryError } from '@bloomery/ports';

/** gRPC status codes. @see grpc/grpc doc/statuscodes.md */
export const GRPC_STATUS = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** Name of a gRPC status. */
export type GrpcStatusName = keyof typeof GRPC_STATUS;

/** Statuses after which the same call may succeed later. */
const RETRYABLE: ReadonlySet<GrpcStatusName> = new Set([
  'DEADLINE_EXCEEDED',
  'RESOURCE_EXHAUSTED',
  'UNAVAILABLE',
  'ABORTED',
]);

const BY_ERROR_CODE: Partial<Record<ErrorCode, GrpcStatusName>> = {
  BLM_API_ALREADY_EXISTS: 'ALREADY_EXISTS',
  BLM_API_BAD_REQUEST: 'INVALID_ARGUMENT',
  BLM_API_CONFLICT: 'ABORTED',
  BLM_API_FORBIDDEN: 'PERMISSION_DENIED',
  BLM_API_INVALID: 'INVALID_ARGUMENT',
  BLM_API_NOT_FOUND: 'NOT_FOUND',
  BLM_API_TOO_LARGE: 'RESOURCE_EXHAUSTED',
  BLM_API_UNAUTHORIZED: 'UNAUTHENTICATED',
  BLM_API_UNAVAILABLE: 'UNAVAILABLE',
};

/**
 * The error that ends a call with this status: thrown by handlers, and by the client when the peer says so.
 * `facts.status` holds the name. The message reaches the peer: never secrets.
 */
export function grpcError(status: GrpcStatusName, message: string, cause?: unknown): BloomeryError {
  return new BloomeryError('BLM_GRPC_STATUS', message, {
    retryable: RETRYABLE.has(status),
    facts: { status },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The gRPC status that an error stands for; UNKNOWN for anything that is not one of ours. */
export function grpcStatusOf(error: unknown): GrpcStatusName {
  if (!isBloomeryError(error)) return 'UNKNOWN';
  if (error.code !== 'BLM_GRPC_STATUS') return BY_ERROR_CODE[error.code] ?? 'UNKNOWN';
  const status = error.facts['status'];
  return typeof status === 'string' && isStatusName(status) ? status : 'UNKNOWN';
}

/** The name of a status number from the wire; UNKNOWN for numbers that do not exist. */
export function grpcStatusName(code: number): GrpcStatusName {
  const found = Object.entries(GRPC_STATUS).find(([, value]) => value === code)?.[0];
  return found !== undefined && isStatusName(found) ? found : 'UNKNOWN';
}

function isStatusName(text: string): text is GrpcStatusName {
  return Object.hasOwn(GRPC_STATUS, text);
}
