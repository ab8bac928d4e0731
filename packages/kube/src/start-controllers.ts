import type { KindRef } from '@bloomery/model';
import { BloomeryError, type Clock, errorText, type Logger } from '@bloomery/ports';
import type { Controller } from './controller.ts';
import type { ControllerMetrics } from './controller-metrics.ts';
import type { EventRecorder } from './event-recorder.ts';
import { runInformer } from './informer.ts';
import { createObjectCache, type WritableObjectCache } from './memory-cache.ts';
import type { ObjectCache } from './object-cache.ts';
import type { ObjectClient } from './object-client.ts';
import { prepareController } from './run-controller.ts';

export interface ControllersDeps {
  readonly client: ObjectClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 ≤ r < 1, for back-off. */
  readonly random: () => number;
  readonly controllers: readonly Controller[];
  readonly events: EventRecorder;
  /** Kinds to cache beside those that the controllers name. */
  readonly alsoCache?: readonly KindRef[];
  /** A cache to fill, when somebody needs it before this starts. A new one unless given. */
  readonly cache?: WritableObjectCache;
  readonly metrics?: ControllerMetrics;
}

export interface RunningControllers extends AsyncDisposable {
  readonly cache: ObjectCache;
  /** Resolves when every kind has been listed once and the controllers work. Never rejects; stays pending after an abort. */
  readonly ready: Promise<void>;
}

/**
 * Two controllers that write the same output would undo each other's work for ever. An output holds all that is below it:
 * `Server.status` is also `Server.status.power`.
 * @throws BLM_CONTROLLER_DUPLICATE_WRITER
 */
export function checkWriters(controllers: readonly Controller[]): void {
  const writers = new Map<string, string>();
  for (const { name, writes } of controllers) {
    for (const output of writes) {
      const taken = [...writers].find(([known, writer]) => writer !== name && overlap(known, output));
      if (taken !== undefined) {
        const [known, other] = taken;
        throw new BloomeryError(
          'BLM_CONTROLLER_DUPLICATE_WRITER',
          `registering controller ${name}: ${output} is already written by controller ${other} (${known})`,
          { facts: { output, controllers: [other, name] } },
        );
      }
      writers.set(output, name);
    }
  }
}

function overlap(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}

/**
 * Start informers for every kind that the controllers read, then the controllers. Everything ends with the signal or by
 * disposing, which resolves when running reconciles have ended.
 * @throws BLM_CONTROLLER_DUPLICATE_WRITER
 */
export function startControllers(deps: ControllersDeps, signal: AbortSignal): RunningControllers {
  checkWriters(deps.controllers);
  const stop = new AbortController();
  const ends = AbortSignal.any([signal, stop.signal]);
  const { client, clock, log, random, events, metrics } = deps;
  const cache = deps.cache ?? createObjectCache();
  const context = { client, cache, events, log, clock, signal: ends };
  const queues = deps.controllers.map((controller) =>
    prepareController(controller, { cache, context, random, ...(metrics === undefined ? {} : { metrics }) }),
  );

  const kinds = new Map<string, KindRef>();
  const read = deps.controllers.flatMap(({ kind, watches }) => [kind, ...watches.map((source) => source.kind)]);
  for (const kind of [...read, ...(deps.alsoCache ?? [])]) kinds.set(`${kind.group}/${kind.plural}`, kind);
  const informers: Promise<void>[] = [];
  const listed: Promise<void>[] = [];
  for (const kind of kinds.values()) {
    cache.claim(kind);
    listed.push(
      new Promise((resolve) => {
        const informer = runInformer(kind, { client, cache, clock, log, random }, resolve, ends);
        informers.push(informer.catch((error) => log.error('informer.ended', { error: errorText(error) })));
      }),
    );
  }
  const ready = Promise.all(listed).then(() => {
    for (const queue of queues) queue.start();
    log.debug('controllers.ready', { controllers: queues.length, kinds: kinds.size });
  });
  return {
    cache,
    ready,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([...queues.map((queue) => queue.stop()), ...informers]);
    },
  };
}
