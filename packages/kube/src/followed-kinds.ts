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
  /** Resolves with the first list, or the first failure of it. */
  readonly answered: Promise<void>;
  /** Why it is not listed yet. */
  readonly failure: () => unknown;
  readonly end: () => void;
}

/**
 * Follow kinds as they are asked for, until the signal aborts. A kind that controllers declared is only listened to: they fill
 * it. There are never more followed kinds than the API has definitions. When a type goes, its objects count as gone.
 */
export function createFollowedKinds(deps: FollowedKindsDeps, signal: AbortSignal): FollowedKinds {
  const { cache } = deps;
  const followed = new Map<string, Followed>();
  const listeners = new Set<(object: KubeObject, gone: boolean) => void>();
  const tell = (object: KubeObject, gone: boolean): void => {
    for (const listener of listeners) listener(object, gone);
  };
  const start = (kind: KindRef): Followed => {
    const stopListening = cache.listen(kind, tell);
    if (!cache.claim(kind)) {
      return { kind, answered: Promise.resolve(), failure: () => undefined, end: stopListening };
    }
    const stop = new AbortController();
    const listing = startListing(kind, deps, AbortSignal.any([signal, stop.signal]));
    const end = (): void => {
      stop.abort();
      cache.replace(kind, []);
      cache.release(kind);
      stopListening();
    };
    return { kind, ...listing, end };
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
      await one.answered;
      // Who asks must not hang on a kind that we may not read: he says so on his object.
      const failure = one.failure();
      if (failure !== undefined) throw failure;
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Fill the cache until the signal aborts, and tell how the first list went. */
function startListing(
  kind: KindRef,
  deps: FollowedKindsDeps,
  signal: AbortSignal,
): Pick<Followed, 'answered' | 'failure'> {
  let failure: unknown;
  let isListed = false;
  const answered = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    const listed = (): void => {
      isListed = true;
      failure = undefined;
      resolve();
    };
    const failed = (error: unknown): void => {
      if (!isListed) failure = error;
      resolve();
    };
    const informer = runInformer(kind, deps, listed, signal, failed);
    informer.catch((error) => deps.log.error('informer.ended', { error: errorText(error) }));
  });
  return { answered, failure: () => failure };
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
