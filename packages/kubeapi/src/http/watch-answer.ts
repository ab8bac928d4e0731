import { apiVersionOf, type JsonObject, stringifyJson } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import { methodNotAllowed } from '../pipeline/api-status.ts';
import { awaitRevision } from '../pipeline/await-revision.ts';
import { revisionOf, selectionOf } from '../pipeline/reader.ts';
import { type Resource, toVersion } from '../registry/resource.ts';
import { renderTable } from '../table/index.ts';
import type { HubEvent } from '../watch/watch-hub.ts';
import { type BookmarkTimes, type StreamItem, watchBatches } from '../watch/watch-stream.ts';
import { JSON_HEADERS, notAcceptable, statusOf } from './answers.ts';
import type { ApiAnswer } from './api-request.ts';
import { eventBytes, type SharedShape, shareEventBytes } from './event-bytes.ts';
import { listOptionsOf } from './list-options.ts';
import type { Representation } from './negotiate.ts';
import { type ResourceCall, tableOptions } from './resource-call.ts';

const BOOKMARK_MS = 50_000;
/** The last bookmark comes this long before the watch ends. */
const LAST_BOOKMARK_MS = 2000;
/** How long a watch lives when the caller says nothing: this long, and up to twice as long, so that not all end at once. */
const DEFAULT_TIMEOUT_S = 1800;
const MAX_TIMEOUT_S = 24 * 3600;
const JOINED_BYTES = 64 * 1024;

type Batches = AsyncIterable<readonly StreamItem[]>;

/** A watch as a stream of JSON lines. It ends cleanly after its time; what cannot be resumed ends with an ERROR event. */
export function watchAnswer(call: ResourceCall, { shape, format }: Representation): ApiAnswer {
  const { engine, request, path, resource, version } = call;
  if (resource.computed !== undefined || (request.method !== 'GET' && request.method !== 'HEAD'))
    throw methodNotAllowed();
  if (format !== 'json')
    throw notAcceptable('only the following media types are accepted: application/json;stream=watch');
  const options = listOptionsOf(request.query, true);
  const byName = path.name === undefined ? undefined : `metadata.name=${path.name}`;
  const { selects } = selectionOf(resource, version, options.labels, byName ?? options.fields);
  const initial = options.sendInitialEvents;
  const asked = revisionOf(options.resourceVersion);
  const wantsInitial = initial ?? (asked === undefined || asked === 0);
  const timeoutMs = timeoutMsOf(call, options.timeoutSeconds);
  // What a webhook has yet to convert has no size yet.
  const sizes =
    shape === 'table' || resource.conversion !== undefined
      ? {}
      : { sizeOf: (event: HubEvent) => shareEventBytes(call, sharedShape(shape), event).length };
  const open = async (signal: AbortSignal): Promise<Batches> => {
    await awaitRevision(engine.store, engine.clock, asked, signal);
    return watchBatches(engine.store, engine.hub, {
      interest: { resource: resource.id, namespace: resource.namespaced ? path.namespace : undefined, selects },
      after: wantsInitial || asked === undefined || asked === 0 ? undefined : asked,
      initialEvents: wantsInitial,
      markInitialEnd: wantsInitial && options.allowWatchBookmarks,
      bookmarks: options.allowWatchBookmarks ? bookmarkTimes(timeoutMs) : undefined,
      schedule: (delayMs, callback) => engine.clock.after(delayMs, callback),
      signal,
      ...sizes,
    });
  };
  return { status: 200, headers: JSON_HEADERS, body: lines(call, shape, timeoutMs, open) };
}

/** 0 means no wish, as upstream reads it. */
function timeoutMsOf({ engine }: ResourceCall, seconds = 0): number {
  if (seconds > 0) return Math.min(seconds, MAX_TIMEOUT_S) * 1000;
  const [high = 0, low = 0] = engine.random(2);
  return DEFAULT_TIMEOUT_S * 1000 * (1 + (high * 256 + low) / 65_536);
}

function bookmarkTimes(timeoutMs: number): BookmarkTimes {
  const lastMs = timeoutMs - LAST_BOOKMARK_MS;
  return { everyMs: BOOKMARK_MS, lastMs: lastMs > 0 ? lastMs : undefined };
}

/** Abort when the caller is gone, the time is over, or the version is no longer served as it was. */
function endOf(call: ResourceCall, timeoutMs: number): { readonly signal: AbortSignal; readonly release: () => void } {
  const { engine, request, resource, version } = call;
  const end = new AbortController();
  const abort = (): void => end.abort();
  if (request.signal.aborted) abort();
  request.signal.addEventListener('abort', abort, { once: true });
  const cancel = engine.clock.after(timeoutMs, abort);
  const forget = engine.registry.onChange((id) => {
    const served = engine.registry.find(version.group, version.version, version.plural);
    if (id === resource.id && served?.version !== version) abort();
  });
  return {
    signal: end.signal,
    release() {
      request.signal.removeEventListener('abort', abort);
      cancel();
      forget();
    },
  };
}

async function* lines(
  call: ResourceCall,
  shape: Representation['shape'],
  timeoutMs: number,
  open: (signal: AbortSignal) => Promise<Batches>,
): AsyncGenerator<Uint8Array> {
  const { engine, resource, version } = call;
  const { signal, release } = endOf(call, timeoutMs);
  call.watching?.started();
  const lineOf = shape === 'table' ? tableLines(call) : sharedLines(call, sharedShape(shape));
  try {
    for await (const batch of await open(signal)) {
      const pending = engine.conversions.prepare(resource, objectsOf(resource, batch), version);
      if (pending !== undefined) await pending;
      for (const lines of joined(batch, lineOf)) {
        call.watching?.sent(lines.count, lines.bytes.length);
        yield lines.bytes;
      }
    }
  } catch (error) {
    yield Buffer.from(`{"type":"ERROR","object":${stringifyJson(statusOf(error))}}\n`);
  } finally {
    release();
    call.watching?.ended();
  }
}

/** Lines that are there together are sent together, as far as they are small. */
function* joined(
  batch: readonly StreamItem[],
  lineOf: (item: StreamItem) => Buffer,
): Generator<{ readonly bytes: Buffer; readonly count: number }> {
  let waiting: Buffer[] = [];
  let size = 0;
  for (const item of batch) {
    const line = lineOf(item);
    if (size > 0 && size + line.length > JOINED_BYTES) {
      yield { bytes: together(waiting), count: waiting.length };
      waiting = [];
      size = 0;
    }
    waiting.push(line);
    size += line.length;
  }
  yield { bytes: together(waiting), count: waiting.length };
}

/** What was joined last: the watchers of a kind mostly get the same lines one after the other. */
let last: { readonly lines: readonly Buffer[]; readonly bytes: Buffer } = { lines: [], bytes: Buffer.alloc(0) };

/** A line alone is sent as it is: all watchers share its bytes, and those of lines that they get together. */
function together(lines: readonly Buffer[]): Buffer {
  const [first] = lines;
  if (lines.length === 1 && first !== undefined) return first;
  const isLast = lines.length === last.lines.length && lines.every((line, i) => line === last.lines[i]);
  if (!isLast) last = { lines, bytes: Buffer.concat(lines) };
  return last.bytes;
}

/** What a batch has to have converted; nothing where the kind converts itself. */
function objectsOf({ conversion }: Resource, batch: readonly StreamItem[]): readonly ApiObject[] {
  return conversion === undefined ? [] : batch.flatMap((item) => (item.kind === 'event' ? [item.event.object] : []));
}

function sharedShape(shape: Representation['shape']): SharedShape {
  return shape === 'object' ? 'object' : 'metadata';
}

function sharedLines(call: ResourceCall, shape: SharedShape): (item: StreamItem) => Buffer {
  const { version } = call;
  const head: JsonObject =
    shape === 'object'
      ? { kind: version.kind, apiVersion: apiVersionOf(version) }
      : { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' };
  return (item) =>
    item.kind === 'event'
      ? eventBytes(call, shape, item.event)
      : lineOfObject('BOOKMARK', { ...head, metadata: markOf(item) });
}

/** Rows are made for each watcher: they show ages as of now. Only the first event names the columns. */
function tableLines(call: ResourceCall): (item: StreamItem) => Buffer {
  const { resource, version } = call;
  let first = true;
  return (item) => {
    const object: JsonObject =
      item.kind === 'event' ? toVersion(resource, item.event.object, version) : { metadata: markOf(item) };
    const resourceVersion = item.kind === 'event' ? item.event.object.metadata.resourceVersion : String(item.rev);
    const options = { ...tableOptions(call), metadata: { resourceVersion }, withoutDefinitions: !first };
    first = false;
    const table = renderTable(version, [object], options);
    return lineOfObject(item.kind === 'event' ? item.event.type : 'BOOKMARK', { columnDefinitions: null, ...table });
  };
}

function markOf(item: Extract<StreamItem, { kind: 'bookmark' }>): JsonObject {
  const resourceVersion = String(item.rev);
  if (!item.initialEventsEnd) return { resourceVersion };
  return { resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } };
}

function lineOfObject(type: string, object: JsonObject): Buffer {
  return Buffer.from(`{"type":"${type}","object":${stringifyJson(object)}}\n`);
}
