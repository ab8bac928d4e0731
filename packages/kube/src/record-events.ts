import type { KindRef, KubeObject } from '@bloomery/model';
import { type Event, event, timeText } from '@bloomery/model';
import { type Clock, errorText, isBloomeryError, type Logger } from '@bloomery/ports';
import type { EventDraft, EventRecorder } from './event-recorder.ts';
import type { ObjectClient } from './object-client.ts';

export interface EventRecorderDeps {
  readonly client: ObjectClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** Who reports: `bloomery-inventory`. */
  readonly component: string;
}

/** Events waiting to be written; more are dropped and counted in the log. */
const MAX_PENDING = 1000;
/** Events remembered for folding; the oldest are forgotten first. */
const MAX_FOLDED = 4096;
const MAX_MESSAGE_LENGTH = 1024;

interface Pending {
  readonly about: KubeObject;
  readonly draft: EventDraft;
  readonly firstMs: number;
  lastMs: number;
  times: number;
}
interface Written {
  readonly name: string;
  readonly namespace: string;
  count: number;
}

const EVENT: KindRef<Event> = event;

/** A recorder that also can be waited for. */
export interface RunningEventRecorder extends EventRecorder {
  /** Resolves when everything recorded so far is written or given up. */
  flush(): Promise<void>;
}

/**
 * Make the EventRecorder that writes core/v1 Events one after another. The same event about the same object while one is
 * still waiting, and later ones, raise `count` and `lastTimestamp` of the first. Bounds: 1000 waiting, 4096 remembered.
 */
export function createEventRecorder(deps: EventRecorderDeps): RunningEventRecorder {
  const pending = new Map<string, Pending>();
  const written = new Map<string, Written>();
  let serial = 0;
  let dropped = 0;
  let running: Promise<void> | undefined;

  const create = async (id: string, item: Pending): Promise<void> => {
    const { metadata, apiVersion, kind } = item.about;
    const namespace = metadata.namespace ?? 'default';
    const name = `${metadata.name.slice(0, 200)}.${(item.firstMs * 1000 + (serial++ % 1000)).toString(16)}`;
    await deps.client.create(EVENT, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace },
      involvedObject: {
        apiVersion,
        kind,
        name: metadata.name,
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
        ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
      },
      type: item.draft.type,
      reason: item.draft.reason,
      message: item.draft.message.slice(0, MAX_MESSAGE_LENGTH),
      count: item.times,
      firstTimestamp: timeText(item.firstMs),
      lastTimestamp: timeText(item.lastMs),
      source: { component: deps.component },
      reportingComponent: deps.component,
    });
    written.set(id, { name, namespace, count: item.times });
    const [oldest] = written.keys();
    if (written.size > MAX_FOLDED && oldest !== undefined) written.delete(oldest);
  };
  const write = async (id: string, item: Pending): Promise<void> => {
    const known = written.get(id);
    if (known === undefined) return create(id, item);
    const count = known.count + item.times;
    try {
      const body = { count, lastTimestamp: timeText(item.lastMs) };
      await deps.client.patch(EVENT, known, { type: 'merge', body });
      known.count = count;
    } catch (error) {
      if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
      written.delete(id);
      await create(id, item);
    }
  };
  const drain = async (): Promise<void> => {
    for (;;) {
      const [next] = pending;
      if (next === undefined) return;
      const [id, item] = next;
      pending.delete(id);
      try {
        await write(id, item);
      } catch (error) {
        // With its namespace an object takes its Events along: nobody misses those of its last moments.
        const isLate = isBloomeryError(error, 'BLM_API_FORBIDDEN') && error.message.endsWith('is being terminated');
        deps.log[isLate ? 'debug' : 'warn']('event.lost', {
          reason: item.draft.reason,
          about: item.about.metadata.name,
          error: errorText(error),
        });
      }
    }
  };
  const kick = (): void => {
    running ??= Promise.resolve()
      .then(drain)
      .finally(() => {
        running = undefined;
        if (pending.size > 0) kick();
      });
  };
  return {
    record(about, draft) {
      const nowMs = deps.clock.nowMs();
      const id = JSON.stringify([about.kind, about.metadata.uid ?? about.metadata.name, draft]);
      const waiting = pending.get(id);
      if (waiting !== undefined) {
        waiting.times++;
        waiting.lastMs = nowMs;
      } else if (pending.size >= MAX_PENDING) {
        if (dropped++ % MAX_PENDING === 0) deps.log.warn('event.dropped', { dropped });
      } else pending.set(id, { about, draft, firstMs: nowMs, lastMs: nowMs, times: 1 });
      kick();
    },
    async flush() {
      while (running !== undefined) await running;
    },
  };
}
