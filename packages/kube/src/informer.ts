import type { KindRef, KubeObject } from '@bloomery/model';
import { backOffMs, type Clock, errorText, isBloomeryError, type Logger } from '@bloomery/ports';
import type { WritableObjectCache } from './memory-cache.ts';
import type { ObjectClient } from './object-client.ts';

export interface InformerDeps {
  readonly client: ObjectClient;
  readonly cache: Pick<WritableObjectCache, 'put' | 'remove' | 'replace'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 ≤ r < 1, for back-off. */
  readonly random: () => number;
}

/** Objects asked for in one page of the first list. */
const PAGE_SIZE = 500;
const RETRY = { firstMs: 250, maxMs: 30_000 };

/** Lists a kind into the cache and returns the revision to watch from. */
async function fill(kind: KindRef, deps: InformerDeps): Promise<string> {
  const objects: KubeObject[] = [];
  let next: string | undefined;
  let resourceVersion: string;
  do {
    const page = await deps.client.list(kind, { limit: PAGE_SIZE, ...(next === undefined ? {} : { continue: next }) });
    objects.push(...page.items);
    resourceVersion = page.resourceVersion;
    next = page.continue;
  } while (next !== undefined && next !== '');
  deps.cache.replace(kind, objects);
  return resourceVersion;
}

async function follow(kind: KindRef, from: string, deps: InformerDeps, signal: AbortSignal): Promise<string> {
  let position = from;
  for await (const event of deps.client.watch(kind, { resourceVersion: from, signal })) {
    if (event.type === 'BOOKMARK') position = event.resourceVersion;
    else {
      position = event.object.metadata.resourceVersion ?? position;
      if (event.type === 'DELETED') deps.cache.remove(kind, event.object);
      else deps.cache.put(kind, event.object);
    }
  }
  return position;
}

/**
 * Keep all objects of one kind in the cache until the signal aborts: list, then watch from there, list again only when the
 * revision has expired. Failures are retried with back-off (0.25 s … 30 s). `onListed` is called after the first list; a kind
 * that the API does not serve counts as listed, without objects, and is asked for again. `onFailed` is told of each failure.
 */
export async function runInformer(
  kind: KindRef,
  deps: InformerDeps,
  onListed: () => void,
  signal: AbortSignal,
  onFailed: (error: unknown) => void = () => {},
): Promise<void> {
  let position: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    const startedMs = deps.clock.nowMs();
    try {
      position ??= await fill(kind, deps);
      onListed();
      const reached = await follow(kind, position, deps, signal);
      // A watch that ends at once is not progress: without this a closing server would be asked in a tight loop.
      failures = reached === position && deps.clock.nowMs() - startedMs < 1000 ? failures + 1 : 0;
      position = reached;
    } catch (error) {
      if (signal.aborted) return;
      if (isBloomeryError(error, 'BLM_API_EXPIRED')) position = undefined;
      // A kind that is not installed (yet) has no objects: who waits for the first list must not wait for an operator.
      const isAbsent = position === undefined && isBloomeryError(error, 'BLM_API_NOT_FOUND');
      if (isAbsent) {
        deps.cache.replace(kind, []);
        onListed();
      } else onFailed(error);
      failures++;
      const log = failures === (isAbsent ? 1 : 4) ? deps.log.warn : deps.log.debug;
      log.call(deps.log, 'informer.retry', { kind: kind.kind, failures, error: errorText(error) });
    }
    if (failures > 0) await deps.clock.sleep(backOffMs(failures, RETRY, deps.random), signal);
  }
}
