import type { Controller, EventDraft, FollowedKinds, KindResolver, WritableObjectCache } from '@bloomery/kube';
import {
  createFollowedKinds,
  createKindResolver,
  createObjectCache,
  findObject,
  startControllers,
} from '@bloomery/kube';
import type { MemoryClient } from '@bloomery/kube/testing';
import { createMemoryClient } from '@bloomery/kube/testing';
import type { JsonObject, KindRef, KubeObject, ObjectKey } from '@bloomery/model';
import { allKinds, keyText } from '@bloomery/model';
import { type Clock, createFakeClock, silentLog } from '@bloomery/ports';

/** Controllers at work on an API in memory, in virtual time. */
export interface World extends AsyncDisposable {
  readonly client: MemoryClient;
  /** `Kind name: Reason` of every Event so far. */
  readonly events: readonly string[];
  /** Let everything that is due happen, and virtual time go on by this much. */
  settle(advanceMs?: number): Promise<void>;
  find<T extends KubeObject>(kind: KindRef<T>, key: ObjectKey): Promise<T | undefined>;
  /** Write an object with its status. */
  put(kind: KindRef, object: KubeObject): Promise<void>;
  /** Merge into the status of an object. */
  status(kind: KindRef, key: ObjectKey, status: JsonObject): Promise<void>;
}

/** What controllers that follow kinds are made with. */
export interface WorldDeps {
  readonly client: MemoryClient;
  readonly cache: WritableObjectCache;
  readonly clock: Clock;
  readonly resolver: KindResolver;
  readonly followed: FollowedKinds;
}

/** Start controllers on these objects (spec and status as given). */
export async function startWorld(
  source: readonly Controller[] | ((deps: WorldDeps) => readonly Controller[]),
  objects: readonly { readonly kind: KindRef; readonly object: KubeObject }[] = [],
  shared?: MemoryClient,
): Promise<World> {
  const clock = createFakeClock(1_700_000_000_000);
  const client = shared ?? createMemoryClient({ clock, objects });
  const events: string[] = [];
  const record = (about: KubeObject, event: EventDraft): void => {
    events.push(`${about.kind} ${keyText(about.metadata)}: ${event.reason}`);
  };
  const stop = new AbortController();
  const cache = createObjectCache();
  const deps = { client, cache, clock, log: silentLog, random: () => 0.5, standing: allKinds };
  const resolver = createKindResolver(deps, stop.signal);
  const followed = createFollowedKinds({ ...deps, resolver }, stop.signal);
  const controllers = typeof source === 'function' ? source({ client, cache, clock, resolver, followed }) : source;
  const running = startControllers({ ...deps, controllers, events: { record } }, stop.signal);
  await running.ready;
  const settle = async (advanceMs = 1000): Promise<void> => {
    const turns = async (): Promise<void> => {
      for (let i = 0; i < 30; i++) await new Promise((resolve) => setImmediate(resolve));
    };
    await turns();
    for (let i = 0; i < 10; i++) {
      await clock.advance(advanceMs / 10);
      await turns();
    }
  };
  const status: World['status'] = async (kind, key, fields) => {
    const body = { status: fields };
    await client.patch(kind, key, { type: 'merge', body }, { subresource: 'status' });
  };
  return {
    client,
    events,
    settle,
    find: (kind, key) => findObject(client, kind, key),
    status,
    async put(kind, object) {
      const { status: fields } = object as { readonly status?: JsonObject };
      await client.create(kind, object);
      if (fields !== undefined) await status(kind, object.metadata, fields);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running[Symbol.asyncDispose]();
    },
  };
}
