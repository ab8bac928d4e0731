import { apiError, type KubeStatus } from '@bloomery/kube';
import { isJsonObject, type JsonObject } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { text } from '../json-parts.ts';

/** The refusal of a request because a webhook denied it: the webhook's own Status with who it was in front. */
export function deniedBy(webhook: string, given: JsonObject): BloomeryError {
  const said = text(given['message']) || text(given['reason']);
  const who = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const code = typeof given['code'] === 'number' && given['code'] >= 400 && given['code'] < 600 ? given['code'] : 400;
  return bareRefusal({
    code,
    reason: text(given['reason']),
    message: said === '' ? `${who} without explanation` : `${who}: ${said}`,
    ...(isJsonObject(given['details']) ? { details: given['details'] } : {}),
  });
}

/** The refusal with warnings that its answer carries beside it. */
export function withWarnings(error: BloomeryError, warnings: readonly string[]): BloomeryError {
  if (warnings.length === 0) return error;
  const { code, message, retryable, facts, cause } = error;
  return new BloomeryError(code, message, { retryable, facts: { ...facts, warnings }, cause });
}

/** Warnings that go with the answer to an error; none for most. */
export function warningsOf(error: unknown): readonly string[] {
  const warnings = error instanceof BloomeryError ? error.facts['warnings'] : undefined;
  return Array.isArray(warnings) ? warnings.filter((text) => typeof text === 'string') : [];
}

/** 400: a webhook that has side effects cannot take part in a dry run. */
export function noDryRun(webhook: string): BloomeryError {
  return apiError({
    code: 400,
    reason: 'BadRequest',
    message: `admission webhook ${JSON.stringify(webhook)} does not support dry run`,
  });
}

/** 500 with the text as cause, as kube-apiserver answers when it could not ask. */
export function internalError(why: string, cause?: unknown): BloomeryError {
  const message = `Internal error occurred: ${why}`;
  return apiError({ code: 500, reason: 'InternalError', message, details: { causes: [{ message: why }] } }, cause);
}

/** `failed calling webhook "NAME": …` */
export function failedCalling(webhook: string, why: string, cause: unknown): BloomeryError {
  return internalError(`failed calling webhook ${JSON.stringify(webhook)}: ${why}`, cause);
}

/** A webhook's Status may have no reason; apiError would find one by the code. */
function bareRefusal(status: KubeStatus): BloomeryError {
  const error = apiError(status);
  if (status.reason !== '') return error;
  const { reason: _, ...rest } = status;
  const bare = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', ...rest };
  return new BloomeryError(error.code, error.message, { retryable: error.retryable, facts: { status: bare } });
}
