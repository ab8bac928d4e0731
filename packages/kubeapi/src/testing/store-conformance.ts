import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createFakeClock, type FakeClock } from '@bloomery/ports';
import { type ApiObject, asApiObject } from '../api-object.ts';
import type { Change, ObjectId, Store } from '../store/store.ts';

/** How long history must be kept at least. */
export interface ConformanceLimits {
  readonly keepRevisions: number;
  readonly keepMs: number;
}

/** A store of one kind, in a place of its own. */
export interface StorePlace {
  /** Open it, with what was written before. */
  open(limits: ConformanceLimits, clock: FakeClock): Store;
  remove(): void;
}

const PLENTY: ConformanceLimits = { keepRevisions: 10_000, keepMs: 300_000 };

/** The id of a test object. */
export function thing(name: string, resource = 'things'): ObjectId {
  return { resource, namespace: 'n', name };
}

/** Write a test object. */
export function putThing(store: Store, id: ObjectId, data: string): Promise<ApiObject> {
  const { name, namespace } = id;
  return store.put(id, (resourceVersion) =>
    asApiObject({ apiVersion: 'v1', kind: 'Thing', metadata: { name, namespace, resourceVersion }, data }),
  );
}

/** Remove an object that is there. */
export function removeThing(store: Store, id: ObjectId): Promise<ApiObject> {
  const present = store.head(id);
  assert.ok(present);
  return store.remove(id, (resourceVersion) =>
    asApiObject({ ...present, metadata: { ...present.metadata, resourceVersion } }),
  );
}

/** Objects in short: `name=data`. */
export function shown(objects: readonly ApiObject[]): readonly string[] {
  return objects.map((o) => `${o.metadata.name}=${String(o['data'])}`);
}

/** What every Store must do, whatever is behind it. Registers tests; `place` makes an empty place for each. */
export function storeConformance(name: string, place: () => StorePlace): void {
  describe(`${name} as a Store`, () => {
    let at: StorePlace;
    let store: Store;
    let clock: FakeClock;
    beforeEach(() => {
      at = place();
      clock = createFakeClock(Date.parse('2026-01-01T00:00:00Z'));
      store = at.open(PLENTY, clock);
    });
    afterEach(async () => {
      await store.close();
      at.remove();
    });
    async function reopen(limits = PLENTY): Promise<void> {
      await store.close();
      store = at.open(limits, clock);
    }

    it('keeps what it acknowledged over a restart, with its revision', async () => {
      await putThing(store, thing('a'), '1');
      await putThing(store, thing('b'), '2');
      await removeThing(store, thing('a'));
      const { revision } = store;
      await reopen();
      assert.deepEqual(shown(store.list('things')), ['b=2']);
      assert.equal(store.revision, revision);
      assert.ok(Number((await putThing(store, thing('c'), '3')).metadata.resourceVersion) > revision);
    });

    it('never gives a revision twice, not even that of the last deletion', async () => {
      await putThing(store, thing('a'), '1');
      const last = Number((await removeThing(store, thing('a'))).metadata.resourceVersion);
      await reopen();
      assert.ok(Number((await putThing(store, thing('a'), '2')).metadata.resourceVersion) > last);
    });

    it('never gives a revision twice when its whole history is forgotten', async () => {
      const limits = { keepRevisions: 1, keepMs: 0 };
      await reopen(limits);
      for (let i = 0; i < 300; i++) await putThing(store, thing('a'), String(i));
      const last = Number((await removeThing(store, thing('a'))).metadata.resourceVersion);
      await clock.advance(10_000);
      assert.ok(store.compactRevision >= last - 1, `${store.compactRevision} of ${last}`);
      await reopen(limits);
      assert.equal(store.revision, last);
      assert.ok(Number((await putThing(store, thing('b'), '')).metadata.resourceVersion) > last);
    });

    it('shows a write to later writers of the turn, and to readers after its commit', async () => {
      const written = putThing(store, thing('a'), '1');
      assert.equal(store.head(thing('a'))?.['data'], '1');
      assert.equal(store.get(thing('a')), undefined);
      await written;
      assert.equal(store.get(thing('a'))?.['data'], '1');
    });

    it('takes no revision for a write whose object cannot be built', async () => {
      const before = (await putThing(store, thing('a'), '1')).metadata.resourceVersion;
      await assert.rejects(
        async () =>
          store.put(thing('a'), () => {
            throw new Error('no');
          }),
        /no/,
      );
      assert.equal((await putThing(store, thing('a'), '2')).metadata.resourceVersion, String(Number(before) + 1));
    });

    it('publishes changes once, in order, each after it can be read', async () => {
      const seen: Change[] = [];
      store.subscribe((changes) => {
        for (const change of changes) {
          if (change.type === 'put') assert.ok(Number(store.get(change.id)?.metadata.resourceVersion) >= change.rev);
          seen.push(change);
        }
      });
      await Promise.all(Array.from({ length: 1200 }, (_, i) => putThing(store, thing(`o${i}`), String(i))));
      assert.deepEqual(
        seen.map((c) => c.object['data']),
        Array.from({ length: 1200 }, (_, i) => String(i)),
      );
      assert.deepEqual(store.changesSince(1), seen);
    });

    it('goes on when a listener throws', async () => {
      store.subscribe(() => {
        throw new Error('a listener with a fault');
      });
      assert.equal((await putThing(store, thing('a'), '1'))['data'], '1');
    });

    it('reads the past from the compaction border on, also after a restart', async () => {
      const limits = { keepRevisions: 100, keepMs: 0 };
      await reopen(limits);
      const past = new Map<number, readonly string[]>();
      for (let round = 0; round < 60; round++) {
        await Promise.all(Array.from({ length: 40 }, (_, i) => putThing(store, thing(`o${i % 20}`), `${round}.${i}`)));
        if (round % 5 === 0) await removeThing(store, thing('o3'));
        past.set(store.revision, shown(store.list('things')));
      }
      const border = store.compactRevision;
      assert.ok(store.revision - border >= 100 && store.revision - border <= 700, `${border} of ${store.revision}`);
      const kept = [...past].filter(([rev]) => rev >= border);
      assert.ok(kept.length > 1);
      for (const isReopened of [false, true]) {
        if (isReopened) await reopen(limits);
        for (const [rev, objects] of kept) assert.deepEqual(shown(store.listAt('things', rev)), objects);
        assert.deepEqual(
          store.changesSince(border).map((c) => c.rev),
          Array.from({ length: store.revision - border }, (_, i) => border + 1 + i),
        );
        assert.equal(store.compactRevision, border);
      }
    });

    it('keeps history for its time while that is not much, and forgets it later without a write', async () => {
      await reopen({ keepRevisions: 10, keepMs: 60_000 });
      for (let i = 0; i < 20; i++)
        await Promise.all(Array.from({ length: 20 }, () => putThing(store, thing('a'), String(i))));
      await clock.advance(60_000);
      assert.equal(store.compactRevision, 1);
      await clock.advance(3000);
      assert.equal(store.compactRevision, store.revision - 10);
    });

    it('links every change to the state before it, also when that is only on disk', async () => {
      await putThing(store, thing('a'), '0');
      const from = store.revision;
      for (let i = 1; i <= 2600; i++) {
        if (i % 100 === 99) void removeThing(store, thing('a'));
        else void putThing(store, thing('a'), String(i));
      }
      await store.settled();
      const changes = store.changesSince(from);
      assert.equal(changes.length, 2600);
      for (const [i, change] of changes.entries()) {
        const previous = i === 0 ? '0' : changes[i - 1]?.type === 'delete' ? undefined : changes[i - 1]?.object['data'];
        assert.equal(change.before?.['data'], previous, `change ${i}`);
        assert.equal(change.object.metadata.resourceVersion, String(change.rev));
      }
    });

    it('refuses writes when it is closed', async () => {
      await store.close();
      await assert.rejects(putThing(store, thing('a'), ''), { code: 'BLM_API_UNAVAILABLE' });
    });
  });
}
