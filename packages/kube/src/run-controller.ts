import type { KubeObject, ObjectKey } from '@bloomery/model';
import { keyOf, keyText } from '@bloomery/model';
import { BloomeryError, backOffMs, errorText } from '@bloomery/ports';
import type { Controller, ReconcileContext } from './controller.ts';
import type { ControllerMetrics } from './controller-metrics.ts';
import type { WritableObjectCache } from './memory-cache.ts';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';

const RETRY = { firstMs: 1000, maxMs: 60_000 };
/** A lost race is no failure of anything: read again soon. */
const CONFLICT_RETRY = { firstMs: 50, maxMs: 5000 };
const DEFAULT_CONCURRENCY = 4;

function parseKey(text: string): ObjectKey {
  const slash = text.indexOf('/');
  return slash < 0 ? { name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** API refusals depend on other objects too, so they are always tried again. */
function isFinal(error: unknown): boolean {
  return error instanceof BloomeryError && !error.retryable && !error.code.startsWith('BLM_API_');
}

export interface RunControllerDeps {
  readonly cache: WritableObjectCache;
  readonly context: ReconcileContext;
  readonly random: () => number;
  readonly metrics?: ControllerMetrics;
}

/** Feed a controller's queue from the cache. The queue works once started. */
export function prepareController(controller: Controller, deps: RunControllerDeps): WorkQueue {
  const { cache, random, metrics } = deps;
  const context = { ...deps.context, log: deps.context.log.with({ controller: controller.name }) };
  const { clock, log } = context;
  const failures = new Map<string, number>();

  const failed = (key: string, error: unknown): void => {
    const count = (failures.get(key) ?? 0) + 1;
    failures.set(key, count);
    if (isFinal(error)) {
      log.warn('reconcile.parked', { key, error: errorText(error), code: (error as BloomeryError).code });
      return;
    }
    const conflict = error instanceof BloomeryError && error.code === 'BLM_API_CONFLICT';
    const retryMs = backOffMs(count, conflict ? CONFLICT_RETRY : RETRY, random);
    const write = conflict || count < 2 ? log.debug : log.warn;
    write.call(log, 'reconcile.failed', { key, error: errorText(error), failures: count, retryMs });
    metrics?.retried(controller.name);
    queue.addAfter(key, retryMs);
  };
  const work = async (key: string): Promise<void> => {
    if (context.signal.aborted) return;
    const startedMs = clock.nowMs();
    try {
      const { afterMs } = await controller.reconcile(parseKey(key), context);
      failures.delete(key);
      if (afterMs !== undefined) queue.addAfter(key, afterMs);
      metrics?.reconciled(
        controller.name,
        afterMs === undefined ? 'success' : 'requeue_after',
        clock.nowMs() - startedMs,
      );
    } catch (error) {
      if (context.signal.aborted) return;
      metrics?.reconciled(controller.name, 'error', clock.nowMs() - startedMs);
      failed(key, error);
    }
  };
  const queue = createWorkQueue({
    clock,
    concurrency: controller.concurrency ?? DEFAULT_CONCURRENCY,
    work,
    onDepth: (depth) => metrics?.depth(controller.name, depth),
  });
  const add = (key: ObjectKey): void => {
    metrics?.added(controller.name);
    queue.add(keyText(key));
  };
  cache.listen(controller.kind, (object) => add(keyOf(object)));
  for (const source of controller.watches) {
    cache.listen(source.kind, (object: KubeObject) => {
      try {
        for (const key of source.map(object, cache)) add(key);
      } catch (error) {
        log.error('watch.map.failed', { kind: source.kind.kind, error: errorText(error) });
      }
    });
  }
  for (const source of controller.wakes ?? []) {
    const end = source.listen(add);
    context.signal.addEventListener('abort', end, { once: true });
  }
  return queue;
}
