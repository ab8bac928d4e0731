import { apiError, type ObjectCache, type StreamRequest } from '@bloomery/kube';
import { LABELS, metalMachine, type ServerBinding, serverBinding } from '@bloomery/model';
import type { BloomeryError } from '@bloomery/ports';
import { parseGoDurationMs } from '@bloomery/wire';
import { RE2JS } from 're2js';
import { machineOf } from '../annotations.ts';
import { type LogQuery, MAX_TAIL } from './stream-logs.ts';

/** Longer patterns are refused. */
const MAX_PATTERN = 1000;
/** Steps of a compiled pattern, each of which may cost time at each character. */
const MAX_STEPS = 300;
const MACHINES_AT_ONCE = 500;

/**
 * What a request asks for: its query may have `follow`, `since` (a duration), `tail`, `grep` (RE2), `cursors` and `after`, and for a
 * namespace one of `cluster`, `machine` and `metalmachine`.
 *
 * @throws API error 400 for a value that is none.
 */
export function logQueryOf(request: StreamRequest, cache: ObjectCache, nowMs: number): LogQuery {
  const { query } = request;
  const since = query.get('since');
  const tail = query.get('tail');
  const grep = query.get('grep');
  const after = query.get('after');
  const accepts = grep === null || grep === '' ? undefined : patternOf(grep);
  const sinceMs = since === null || since === '' ? undefined : nowMs - durationOf(since);
  return {
    of: wantedOf(request, cache),
    follow: flag(query, 'follow'),
    withCursors: flag(query, 'cursors'),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(tail === null ? {} : { tail: countOf(tail) }),
    ...(accepts === undefined ? {} : { accepts }),
    ...(after === null || after === '' ? {} : { after: cursorOf(after) }),
  };
}

function wantedOf({ name, namespace, query }: StreamRequest, cache: ObjectCache): LogQuery['of'] {
  const named = (['cluster', 'machine', 'metalmachine'] as const).filter((key) => query.has(key));
  if (named.length > 1 || (named.length > 0 && namespace === undefined)) {
    throw badRequest('cluster, machine and metalmachine are asked for one at a time, in their namespace');
  }
  if (name !== undefined) {
    if (namespace !== undefined) throw badRequest('servers are in no namespace: leave it out of the path');
    return () => [{ server: name }];
  }
  if (namespace === undefined) return 'all';
  const [key] = named;
  const value = key === undefined ? '' : (query.get(key) ?? '');
  return () => machinesOf(cache, namespace, key, value);
}

/** A machine counts from its allocation on: what its Server said before belongs to somebody else. */
function machinesOf(
  cache: ObjectCache,
  namespace: string,
  key: 'cluster' | 'machine' | 'metalmachine' | undefined,
  value: string,
): ReturnType<Exclude<LogQuery['of'], 'all'>> {
  const isOf = (binding: ServerBinding): boolean => {
    const ref = binding.spec?.metalMachineRef;
    if (ref?.name === undefined || (ref.namespace ?? 'default') !== namespace) return false;
    if (key === undefined) return true;
    if (key === 'metalmachine') return ref.name === value;
    if (key === 'cluster') return binding.metadata.labels?.[LABELS.clusterName] === value;
    return machineOf(cache.get(metalMachine, { name: ref.name, namespace })) === value;
  };
  const found = cache.list(serverBinding).filter(isOf).slice(0, MACHINES_AT_ONCE);
  return found.map(({ metadata: { name: server, creationTimestamp } }) =>
    creationTimestamp === undefined ? { server } : { server, sinceMs: Date.parse(creationTimestamp) },
  );
}

function flag(query: URLSearchParams, key: string): boolean {
  const value = query.get(key);
  return value !== null && value !== 'false' && value !== '0';
}

function durationOf(text: string): number {
  const durationMs = parseGoDurationMs(text);
  if (durationMs === undefined || durationMs < 0) throw badRequest(`since: ${quoted(text)} is no duration such as 90m`);
  return durationMs;
}

function countOf(text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : MAX_TAIL + 1;
  if (count > MAX_TAIL) throw badRequest(`tail: ${quoted(text)} is no number from 0 to ${MAX_TAIL}`);
  return count;
}

function cursorOf(text: string): string {
  if (!/^[0-9-]{1,60}$/.test(text)) throw badRequest(`after: ${quoted(text)} is no cursor`);
  return text;
}

/** RE2 takes time linear to the text: the pattern comes from a caller and the text from a machine. */
function patternOf(pattern: string): (message: string) => boolean {
  if (pattern.length > MAX_PATTERN) throw badRequest(`grep: the pattern is longer than ${MAX_PATTERN} characters`);
  const compiled = compile(pattern);
  const steps = compiled.programSize();
  if (steps > MAX_STEPS) {
    throw badRequest(`grep: ${quoted(pattern)} has ${steps} steps, ${MAX_STEPS} at most: repeat less of it`);
  }
  return (message) => compiled.matcher(message).find();
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'it cannot be read';
    throw badRequest(`grep: ${quoted(pattern)} is no RE2 pattern: ${why}`);
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

function badRequest(message: string): BloomeryError {
  return apiError({ code: 400, reason: 'BadRequest', message });
}
