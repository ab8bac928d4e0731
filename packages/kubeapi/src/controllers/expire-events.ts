import { isJsonObject } from '@bloomery/model';
import { type Clock, errorText, type Logger } from '@bloomery/ports';
import { type ApiObject, withMeta } from '../api-object.ts';
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
  readonly log: Logger;
}): () => void {
  const { store, registry, clock, log } = deps;
  let cancel = (): void => {};
  let stopped = false;
  const sweep = async (): Promise<void> => {
    let more = false;
    for (const resource of registry.all()) {
      const ttl = resource.rules.timeToLiveMs;
      if (ttl === undefined) continue;
      const old = store.list(resource.id).filter((o) => clock.nowMs() - lastSeenMs(o) > ttl);
      more ||= old.length > SWEEP_STEP;
      await Promise.all(old.slice(0, SWEEP_STEP).map((object) => forget(resource.id, object)));
    }
    if (!stopped) cancel = clock.after(more ? 1000 : SWEEP_MS, run);
  };
  async function forget(resource: string, object: ApiObject): Promise<void> {
    const id = { resource, namespace: object.metadata.namespace ?? '', name: object.metadata.name };
    if (store.head(id) === object) await store.remove(id, (resourceVersion) => withMeta(object, { resourceVersion }));
  }
  const run = (): void => {
    sweep().catch((error: unknown) => {
      // A full disk or a closing store: the next sweep tries again.
      log.warn('api.expiry-failed', { error: errorText(error) });
      if (!stopped) cancel = clock.after(SWEEP_MS, run);
    });
  };
  cancel = clock.after(SWEEP_MS, run);
  return () => {
    stopped = true;
    cancel();
  };
}

/** When an Event was seen last; one that says nothing of it was seen when it was made. */
function lastSeenMs(object: ApiObject): number {
  const { series } = object;
  const times = [
    isJsonObject(series) ? series['lastObservedTime'] : undefined,
    object['lastTimestamp'],
    object['eventTime'],
    object.metadata.creationTimestamp,
  ];
  return Math.max(0, ...times.flatMap((time) => (typeof time === 'string' ? Date.parse(time) || [] : [])));
}
