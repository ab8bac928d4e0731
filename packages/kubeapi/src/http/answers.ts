import { apiError } from '@bloomery/kube';
import { isJsonObject, type Json, type JsonObject, stringifyJson } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import type { ApiAnswer } from './api-request.ts';

const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-cache, private' } as const;

/** A JSON answer. */
export function jsonAnswer(status: number, body: Json, warnings: readonly string[] = []): ApiAnswer {
  return {
    status,
    headers: { ...JSON_HEADERS, ...(warnings.length === 0 ? {} : { warning: warnings.map(warningText) }) },
    body: `${stringifyJson(body)}\n`,
  };
}

/** Text of a Warning header (RFC 7234 section 5.5, as Kubernetes uses it). */
export function warningText(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]/g, ' ').slice(0, 1024);
  return `299 - "${clean.replace(/[\\"]/g, '\\$&')}"`;
}

/** A refusal as a Kubernetes Status. Errors that are none of ours become 500 without their text. */
export function statusAnswer(error: unknown): ApiAnswer {
  const status = statusOf(error);
  const code = typeof status['code'] === 'number' ? status['code'] : 500;
  const retry = isJsonObject(status['details']) ? status['details']['retryAfterSeconds'] : undefined;
  const answer = jsonAnswer(code, status);
  return typeof retry === 'number'
    ? { ...answer, headers: { ...answer.headers, 'retry-after': String(retry) } }
    : answer;
}

/** The Status object of anything thrown. */
export function statusOf(error: unknown): JsonObject {
  const status = error instanceof BloomeryError ? error.facts['status'] : undefined;
  if (isStatus(status)) return status;
  if (error instanceof BloomeryError && error.code.startsWith('BLM_STORE_')) {
    return failure(503, 'ServiceUnavailable', error.message);
  }
  return failure(500, 'InternalError', 'Internal error occurred: see the log of the server');
}

/** 401. */
export const unauthorized = (): BloomeryError =>
  apiError({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });

function failure(code: number, reason: string, message: string): JsonObject {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}

function isStatus(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status';
}
