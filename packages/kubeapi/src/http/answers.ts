import { apiError } from '@bloomery/kube';
import { isJsonObject, type Json, type JsonObject, stringifyJson } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { writeYaml } from '@bloomery/talos';
import { warningsOf } from '../webhooks/admission-refusal.ts';
import type { ApiAnswer } from './api-request.ts';
import { PLAIN_JSON, type Representation } from './negotiate.ts';

/** Headers of every JSON answer. */
export const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-cache, private' } as const;
const YAML_HEADERS = { 'content-type': 'application/yaml', 'cache-control': 'no-cache, private' } as const;
const TEXT_HEADERS = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-cache, private',
  'x-content-type-options': 'nosniff',
} as const;
/** Warnings of one answer take at most this together; what does not fit is left out. */
const MAX_WARNING_BYTES = 4096;

/** A JSON answer. */
export function jsonAnswer(status: number, body: Json, warnings: readonly string[] = []): ApiAnswer {
  return shownAnswer(status, body, PLAIN_JSON, warnings);
}

/** An answer as JSON or YAML, on one line or indented. */
export function shownAnswer(
  status: number,
  body: Json,
  { format, pretty }: Representation,
  warnings: readonly string[] = [],
): ApiAnswer {
  const plain = format === 'yaml' ? YAML_HEADERS : JSON_HEADERS;
  const headers = warnings.length === 0 ? plain : { ...plain, warning: warningTexts(warnings) };
  if (format === 'yaml') return { status, headers, body: writeYaml(body) };
  return { status, headers, body: `${stringifyJson(body, pretty ? 2 : 0)}\n` };
}

/** A short text, as health checks and unknown paths answer. */
export function textAnswer(status: number, body: string): ApiAnswer {
  return { status, headers: TEXT_HEADERS, body };
}

/** The answer with one more Warning header, before those that it has. */
export function withWarning(answer: ApiAnswer, text: string): ApiAnswer {
  const present = answer.headers['warning'] ?? [];
  const others = typeof present === 'string' ? [present] : present;
  return { ...answer, headers: { ...answer.headers, warning: [warningText(text), ...others] } };
}

function warningTexts(warnings: readonly string[]): readonly string[] {
  const texts: string[] = [];
  let room = MAX_WARNING_BYTES;
  for (const text of new Set(warnings)) {
    const line = warningText(text);
    room -= line.length;
    if (room < 0) break;
    texts.push(line);
  }
  return texts;
}

/** Text of a Warning header (RFC 7234 section 5.5, as Kubernetes uses it). */
export function warningText(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]/g, ' ').slice(0, 1024);
  return `299 - "${clean.replace(/[\\"]/g, '\\$&')}"`;
}

/** A refusal as a Kubernetes Status. Errors that are none of ours become 500 without their text. */
export function statusAnswer(error: unknown, representation = PLAIN_JSON): ApiAnswer {
  const status = statusOf(error);
  const code = typeof status['code'] === 'number' ? status['code'] : 500;
  const retry = isJsonObject(status['details']) ? status['details']['retryAfterSeconds'] : undefined;
  const answer = shownAnswer(code, status, representation, warningsOf(error));
  return typeof retry === 'number'
    ? { ...answer, headers: { ...answer.headers, 'retry-after': String(retry) } }
    : answer;
}

/** The Status object of anything thrown. */
export function statusOf(error: unknown): JsonObject {
  const status = error instanceof BloomeryError ? error.facts['status'] : undefined;
  if (isStatus(status)) return withoutVagueReason(status);
  if (error instanceof BloomeryError && error.code.startsWith('BLM_STORE_')) {
    return failure(503, 'ServiceUnavailable', error.message);
  }
  return failure(500, 'InternalError', 'Internal error occurred: see the log of the server');
}

/** 401. */
export const unauthorized = (): BloomeryError =>
  apiError({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' });

/** 406 with what would be acceptable. */
export function notAcceptable(why = 'only the following media types are accepted: application/json, application/yaml') {
  return apiError({ code: 406, reason: 'NotAcceptable', message: why });
}

/** An error that Go passed on plainly has no reason in Kubernetes; those of internal errors all begin the same way. */
function withoutVagueReason(status: JsonObject): JsonObject {
  const { reason, ...rest } = status;
  const isPlain = reason === 'InternalError' && !String(status['message']).startsWith('Internal error occurred');
  return isPlain ? rest : status;
}

function failure(code: number, reason: string, message: string): JsonObject {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}

function isStatus(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status';
}
