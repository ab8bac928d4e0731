import { apiError } from '@bloomery/kube';
import { apiVersionOf, type JsonObject, stringifyJson } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import { methodNotAllowed } from '../pipeline/api-status.ts';
import { awaitRevision } from '../pipeline/await-revision.ts';
import { revisionOf, selectionOf } from '../pipeline/reader.ts';
import { toVersion } from '../registry/resource.ts';
import { partialObjectMetadata, renderTable } from '../table/index.ts';
import { type BookmarkTimes, type StreamItem, watchStream } from '../watch/watch-stream.ts';
import { statusOf } from './answers.ts';
import type { ApiAnswer } from './api-request.ts';
import type { Representation } from './negotiate.ts';
import { isTrue, jsonTextOf, type ResourceCall, tableOptions, wholeNumber } from './resource-call.ts';

const BOOKMARK_MS = 50_000;
/** The last bookmark comes this long before the watch ends. */
const LAST_BOOKMARK_MS = 2000;
/** How long a watch lives when the caller says nothing. */
const DEFAULT_TIMEOUT_S = 1800;
const MAX_TIMEOUT_S = 24 * 3600;

/** A watch as a stream of JSON lines. It ends cleanly after its time; what cannot be resumed ends with an ERROR event. */
export function watchAnswer(call: ResourceCall, representation: Representation): ApiAnswer {
  const { engine, request, path, resource, version } = call;
  if (resource.computed !== undefined) throw methodNotAllowed();
  const { query } = request;
  const byName = path.name === undefined ? undefined : `metadata.name=${path.name}`;
  const { selects } = selectionOf(
    resource,
    version,
    query.get('labelSelector') ?? undefined,
    byName ?? query.get('fieldSelector') ?? undefined,
  );
  const bookmarks = isTrue(query.get('allowWatchBookmarks'));
  const initial = query.get('sendInitialEvents');
  checkInitialEvents(query, initial);
  const asked = revisionOf(query.get('resourceVersion') ?? undefined);
  const wantsInitial = initial === null ? asked === undefined || asked === 0 : isTrue(initial);
  // 0 means no wish, as upstream reads it.
  const seconds = wholeNumber(query.get('timeoutSeconds'), 'timeoutSeconds') || DEFAULT_TIMEOUT_S;
  const timeoutMs = Math.min(seconds, MAX_TIMEOUT_S) * 1000;
  const open = async (signal: AbortSignal): Promise<AsyncIterable<StreamItem>> => {
    await awaitRevision(engine.store, engine.clock, asked, signal);
    return watchStream(engine.store, engine.hub, {
      interest: { resource: resource.id, namespace: resource.namespaced ? path.namespace : undefined, selects },
      after: wantsInitial || asked === undefined || asked === 0 ? undefined : asked,
      initialEvents: wantsInitial,
      markInitialEnd: isTrue(initial),
      bookmarks: bookmarks ? bookmarkTimes(timeoutMs) : undefined,
      schedule: (delayMs, callback) => engine.clock.after(delayMs, callback),
      signal,
    });
  };
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-cache, private' },
    body: lines(call, representation, timeoutMs, open),
  };
}

function bookmarkTimes(timeoutMs: number): BookmarkTimes {
  const lastMs = timeoutMs - LAST_BOOKMARK_MS;
  return { everyMs: BOOKMARK_MS, lastMs: lastMs > 0 ? lastMs : undefined };
}

/** Abort when the caller is gone, the time is over, or the version is no longer served. */
function endOf(call: ResourceCall, timeoutMs: number): { readonly signal: AbortSignal; readonly release: () => void } {
  const { engine, request, resource, version } = call;
  const end = new AbortController();
  const abort = (): void => end.abort();
  if (request.signal.aborted) abort();
  request.signal.addEventListener('abort', abort, { once: true });
  const cancel = engine.clock.after(timeoutMs, abort);
  const forget = engine.registry.onChange((id) => {
    const served = engine.registry.find(version.group, version.version, version.plural);
    if (id === resource.id && served?.resource.namespaced !== resource.namespaced) abort();
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

function checkInitialEvents(query: URLSearchParams, initial: string | null): void {
  if (initial === null) return;
  const match = query.get('resourceVersionMatch');
  if (match === 'NotOlderThan') return;
  const message = 'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
  throw apiError({
    code: 422,
    reason: 'Invalid',
    message: `ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: ${message}`,
    details: {
      group: 'meta.k8s.io',
      kind: 'ListOptions',
      causes: [{ reason: 'FieldValueForbidden', message, field: 'sendInitialEvents' }],
    },
  });
}

async function* lines(
  call: ResourceCall,
  representation: Representation,
  timeoutMs: number,
  open: (signal: AbortSignal) => Promise<AsyncIterable<StreamItem>>,
): AsyncGenerator<string> {
  const { signal, release } = endOf(call, timeoutMs);
  let first = true;
  try {
    for await (const item of await open(signal)) {
      yield item.kind === 'bookmark'
        ? bookmarkLine(call, item, representation)
        : eventLine(call, item.event, representation, first);
      first = false;
    }
  } catch (error) {
    yield `{"type":"ERROR","object":${stringifyJson(statusOf(error))}}\n`;
  } finally {
    release();
  }
}

function eventLine(
  call: ResourceCall,
  event: Extract<StreamItem, { kind: 'event' }>['event'],
  representation: Representation,
  first: boolean,
): string {
  const object = toVersion(call.resource, event.object, call.version);
  return `{"type":"${event.type}","object":${shown(call, object, representation, first)}}\n`;
}

function shown(call: ResourceCall, object: ApiObject, representation: Representation, first: boolean): string {
  if (representation === 'object') return jsonTextOf(object);
  if (representation === 'metadata') return stringifyJson(partialObjectMetadata(object));
  const { resourceVersion } = object.metadata;
  const metadata: JsonObject = resourceVersion === undefined ? {} : { resourceVersion };
  return stringifyJson(
    renderTable(call.version, [object], { ...tableOptions(call), metadata, withoutDefinitions: !first }),
  );
}

function bookmarkLine(
  call: ResourceCall,
  item: Extract<StreamItem, { kind: 'bookmark' }>,
  representation: Representation,
): string {
  const { version } = call;
  const metadata: JsonObject = {
    resourceVersion: String(item.rev),
    ...(item.initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
  };
  const object: JsonObject =
    representation === 'table'
      ? renderTable(version, [], { ...tableOptions(call), metadata, withoutDefinitions: true })
      : representation === 'metadata'
        ? { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
        : { kind: version.kind, apiVersion: apiVersionOf(version), metadata };
  return `{"type":"BOOKMARK","object":${stringifyJson(object)}}\n`;
}
