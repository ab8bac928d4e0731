import type { KindRef, KubeObject, ObjectKey } from '@bloomery/model';
import { errorText } from '@bloomery/ports';
import type { WakeSource } from './controller.ts';
import { type InformerDeps, runInformer } from './informer.ts';
import type { FollowedKinds, KindResolver } from './kind-resolver.ts';
import type { WritableObjectCache } from './memory-cache.ts';

export interface FollowedKindsDeps extends InformerDeps {
  readonly cache: WritableObjectCache;
  /** Tells when a followed type goes, or no longer has the version that is followed. */
  readonly resolver: Pick<KindResolver, 'listen'>;
}

interface Followed {
  readonly kind: KindRef;
  readonly listed: Promise<void>;
  readonly end: () => void;
}

/**
 * Follow kinds as they are asked for, until the signal aborts. A kind that controllers declared is only listened to: they fill
 * it. There are never more followed kinds than the API has definitions. When a type goes, its objects count as gone.
 */
export function createFollowedKinds(deps: FollowedKindsDeps, signal: AbortSignal): FollowedKinds {
  const { cache, log } = deps;
  const followed = new Map<string, Followed>();
  const listeners = new Set<(object: KubeObject, gone: boolean) => void>();
  const tell = (object: KubeObject, gone: boolean): void => {
    for (const listener of listeners) listener(object, gone);
  };
  const start = (kind: KindRef): Followed => {
    const stopListening = cache.listen(kind, tell);
    if (!cache.claim(kind)) return { kind, listed: Promise.resolve(), end: stopListening };
    const stop = new AbortController();
    const listed = new Promise<void>((resolve) => {
      const ends = AbortSignal.any([signal, stop.signal]);
      ends.addEventListener('abort', () => resolve(), { once: true });
      runInformer(kind, deps, resolve, ends).catch((error) => log.error('informer.ended', { error: errorText(error) }));
    });
    const end = (): void => {
      stop.abort();
      cache.replace(kind, []);
      cache.release(kind);
      stopListening();
    };
    return { kind, listed, end };
  };
  const stopHearing = deps.resolver.listen(({ group, kind, served }) => {
    for (const [id, one] of followed) {
      if (one.kind.group !== group || one.kind.kind !== kind || served.includes(one.kind.version)) continue;
      followed.delete(id);
      one.end();
    }
  });
  signal.addEventListener('abort', stopHearing, { once: true });
  return {
    async follow(kind) {
      const id = `${kind.group}/${kind.plural}`;
      const one = followed.get(id) ?? start(kind);
      followed.set(id, one);
      await one.listed;
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A WakeSource out of the changes of followed kinds. `map` gives the keys of the controller's own kind; it must not throw. */
export function followedSource(
  followed: FollowedKinds,
  map: (object: KubeObject, gone: boolean) => readonly ObjectKey[],
): WakeSource {
  return {
    listen: (wake) =>
      followed.listen((object, gone) => {
        for (const key of map(object, gone)) wake(key);
      }),
  };
}
