import type { ErrorCode } from './error-codes.ts';

/** Values that explain a failure: shown by `bloomery explain` and in JSON output. Never secrets. */
export type Facts = Readonly<Record<string, unknown>>;

export interface BloomeryErrorOptions {
  /** True when trying the same thing again later can succeed. */
  readonly retryable?: boolean;
  readonly facts?: Facts;
  readonly cause?: unknown;
}

/**
 * The only error class of the project. `code` is from the closed registry in error-codes.ts.
 * The message says what was attempted, on what, and what happened, in that order.
 */
export class BloomeryError extends Error {
  override readonly name = 'BloomeryError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly facts: Facts;

  constructor(code: ErrorCode, message: string, options: BloomeryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.facts = options.facts ?? {};
  }
}

/** True when `error` is a BloomeryError, optionally with exactly this code. */
export function isBloomeryError(error: unknown, code?: ErrorCode): error is BloomeryError {
  return error instanceof BloomeryError && (code === undefined || error.code === code);
}

/** The text of anything thrown, for messages that quote a cause. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
