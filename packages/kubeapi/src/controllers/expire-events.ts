import { type Clock, isBloomeryError } from '@bloomery/ports';
import { withMeta } from '../api-object.ts';
import type { Registry } from '../registry/registry.ts';
import type { Store } from '../store/store.ts';

/** How often old objects are looked for. */
const SWEEP_MS = 10 * 60_000;
/** Objects forgotten in one go; the rest waits for the next sweep a moment later. */
const SWEEP_STEP = 500;

/** Forgets objects with a time to live (Events) after their last write. */
export function startExpiry(deps: {
  readonly store: Store;
  readonly registry: Registry;
  readonly clock: Clock;
}): () => void {
  const { store, registry, clock } = deps;
  let cancel = (): void => {};
  let stopped = false;
  const sweep = async (): Promise<void> => {
    let more = false;
    for (const resource of registry.all()) {
      const ttl = resource.rules.timeToLiveMs;
      if (ttl === undefined) continue;
      const old = store
        .list(resource.id)
        .filter((o) => clock.nowMs() - lastWriteMs(o['lastTimestamp'] ?? o.metadata.creationTimestamp) > ttl);
      more ||= old.length > SWEEP_STEP;
      for (const object of old.slice(0, SWEEP_STEP)) {
        const id = { resource: resource.id, namespace: object.metadata.namespace ?? '', name: object.metadata.name };
        if (store.head(id) === object)
          await store.remove(id, (resourceVersion) => withMeta(object, { resourceVersion }));
      }
    }
    if (!stopped) cancel = clock.after(more ? 1000 : SWEEP_MS, run);
  };
  const run = (): void => {
    sweep().catch((error: unknown) => {
      // A full disk or a closing store: the next sweep tries again.
      if (!isBloomeryError(error)) throw error;
      if (!stopped) cancel = clock.after(SWEEP_MS, run);
    });
  };
  cancel = clock.after(SWEEP_MS, run);
  return () => {
    stopped = true;
    cancel();
  };
}

function lastWriteMs(time: unknown): number {
  const ms = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return Number.isNaN(ms) ? 0 : ms;
}
