import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createFakeClock, silentLog } from '@bloomery/ports';
import fc from 'fast-check';
import { type ApiObject, asApiObject, withMeta } from '../api-object.ts';
import { openStore } from '../store/open-store.ts';
import type { Change, ObjectId, Store } from '../store/store.ts';
import { createWatchHub, eventOf, type HubEvent, type HubInterest, type WatchHub } from './watch-hub.ts';
import { MAX_UNREAD_EVENTS, type StreamItem, type WatchStart, watchStream } from './watch-stream.ts';

const random = (length: number): Uint8Array => randomBytes(length);
const clock = createFakeClock();
const everything: HubInterest = { resource: 'things', namespace: undefined, selects: () => true };
const green: HubInterest = { ...everything, selects: (o) => o.metadata.labels?.['color'] === 'green' };

function idOf(name: string): ObjectId {
  return { resource: 'things', namespace: 'n', name };
}

function put(store: Store, name: string, color: string): Promise<ApiObject> {
  const metadata = { name, namespace: 'n', labels: { color } };
  return store.put(idOf(name), (resourceVersion) =>
    withMeta(asApiObject({ apiVersion: 'v1', kind: 'Thing', metadata }), { resourceVersion }),
  );
}

function remove(store: Store, name: string): Promise<unknown> {
  const present = store.head(idOf(name));
  if (present === undefined) return Promise.resolve();
  return store.remove(idOf(name), (resourceVersion) => withMeta(present, { resourceVersion }));
}

const shortOf = (event: HubEvent): string => `${event.type} ${event.object.metadata.name} ${event.rev}`;
const textOf = (item: StreamItem): string =>
  item.kind === 'event' ? shortOf(item.event) : `BOOKMARK ${item.rev}${item.initialEventsEnd ? ' end' : ''}`;

describe('a watch', () => {
  let dir: string;
  let store: Store;
  let hub: WatchHub;
  let stop: AbortController;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'bloomery-watch-'));
    store = openStore({ dir, clock, log: silentLog, random, keepRevisions: 50, keepMs: 0 });
    hub = createWatchHub(store);
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const watch = (start: Partial<WatchStart> = {}) =>
    watchStream(store, hub, {
      interest: everything,
      after: undefined,
      initialEvents: true,
      markInitialEnd: false,
      bookmarks: undefined,
      schedule: (delayMs, callback) => clock.after(delayMs, callback),
      signal: stop.signal,
      ...start,
    });

  it('misses and doubles nothing between a list and its watch, whatever comes between', async (t) => {
    const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));
    t.diagnostic(`seed ${seed}`);
    const name = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      fc.record({ do: fc.constant('put' as const), name, color: fc.constantFrom('green', 'red') }),
      fc.record({ do: fc.constant('remove' as const), name }),
      fc.record({ do: fc.constantFrom('turn' as const, 'read' as const, 'list' as const) }),
    );
    const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, selective) => {
      const interest = selective ? green : everything;
      const log: Change[] = [];
      const unsubscribe = store.subscribe((changes) => log.push(...changes));
      const seen: HubEvent[] = [];
      let after = store.revision;
      let state = new Map(
        store
          .list('things')
          .filter(interest.selects)
          .map((o) => [o.metadata.name, o]),
      );
      let stream: AsyncGenerator<StreamItem> | undefined;
      const ended = new AbortController();
      let pending: Promise<IteratorResult<StreamItem>> | undefined;
      const read = async (): Promise<boolean> => {
        stream ??= watch({ after, interest, signal: ended.signal });
        pending ??= stream.next();
        const item = await Promise.race([pending, nextTurn(undefined)]);
        if (item === undefined) return false;
        pending = undefined;
        if (item.done !== true && item.value.kind === 'event') seen.push(item.value.event);
        return item.done !== true;
      };
      for (const s of steps) {
        if (s.do === 'put') void put(store, s.name, s.color);
        else if (s.do === 'remove') void remove(store, s.name);
        else if (s.do === 'turn') await nextTurn();
        else if (s.do === 'read') await read();
        else if (stream === undefined) {
          after = store.revision;
          state = new Map(
            store
              .list('things')
              .filter(interest.selects)
              .map((o) => [o.metadata.name, o]),
          );
        }
      }
      await store.settled();
      while (await read());
      const wanted = log.filter((c) => c.rev > after).flatMap((c) => eventOf(c, interest) ?? []);
      assert.deepEqual(seen.map(shortOf), wanted.map(shortOf));
      for (const { type, object } of seen) {
        assert.equal(state.has(object.metadata.name), type !== 'ADDED', `${type} ${object.metadata.name}`);
        if (type === 'DELETED') state.delete(object.metadata.name);
        else state.set(object.metadata.name, object);
      }
      assert.deepEqual(new Set(state.values()), new Set(store.list('things').filter(interest.selects)));
      ended.abort();
      await pending;
      unsubscribe();
      for (const n of ['a', 'b', 'c']) await remove(store, n);
    });
    await fc.assert(property, { seed, numRuns: 150 });
    assert.equal(hub.size, 0);
  });

  it('shows what enters, changes within and leaves its selection, with the revision of each change', async () => {
    await put(store, 'a', 'green');
    const reader = watch({ interest: green });
    const first = await reader.next();
    const { revision: start } = store;
    for (const color of ['green', 'red', 'red', 'green']) await put(store, 'a', color);
    await remove(store, 'a');
    const got: string[] = [];
    let left: ApiObject | undefined;
    for (let i = 0; i < 4; i++) {
      const { value } = await reader.next();
      if (value?.kind !== 'event') continue;
      got.push(`${value.event.type} +${value.event.rev - start}`);
      if (i === 1) left = value.event.object;
    }
    assert.equal(first.value?.kind === 'event' && first.value.event.type, 'ADDED');
    assert.deepEqual(got, ['MODIFIED +1', 'DELETED +2', 'ADDED +4', 'DELETED +5']);
    assert.deepEqual([left?.metadata.labels, left?.metadata.resourceVersion], [{ color: 'green' }, String(start + 2)]);
  });

  it('is refused below the compaction border and served from it', async () => {
    for (let i = 0; i < 200; i++) await put(store, 'a', String(i));
    const border = store.compactRevision;
    assert.ok(border > 1);
    await assert.rejects(watch({ after: border - 1 }).next(), { code: 'BLM_API_EXPIRED' });
    const { value } = await watch({ after: border }).next();
    assert.equal(value?.kind === 'event' && value.event.rev, border + 1);
  });

  it('is refused from a revision that does not exist yet', async () => {
    await assert.rejects(watch({ after: store.revision + 1 }).next(), {
      message: /^Timeout: Too large resource version: /,
    });
  });

  it('ends for a slow reader without a gap in what it got', async () => {
    const reader = watch();
    const first = reader.next();
    await put(store, 'a', 'first');
    await first;
    const before = store.revision;
    for (let i = 0; i < MAX_UNREAD_EVENTS + 500; i++) void put(store, 'a', String(i));
    await store.settled();
    assert.equal(hub.size, 0);
    const got: number[] = [];
    for await (const item of reader) {
      if (item.kind === 'event') got.push(item.event.rev);
      // Later changes do not get in: the reader would miss those in between.
      if (got.length === 10) await put(store, 'a', 'late');
    }
    assert.deepEqual(
      got,
      Array.from({ length: MAX_UNREAD_EVENTS }, (_, i) => before + 1 + i),
    );
  });

  it('takes nothing from others when an event has no size', async () => {
    const sizeOf = (): number => {
      throw new RangeError('it cannot be shown');
    };
    const [unsized, other] = [watch({ sizeOf }), watch()];
    const firsts = [unsized.next(), other.next()];
    await put(store, 'a', 'green');
    for (const first of await Promise.all(firsts)) {
      assert.ok(first.done !== true);
      assert.equal(textOf(first.value), `ADDED a ${store.revision}`);
    }
  });

  it('replays more than a slow reader may leave unread', async () => {
    const before = store.revision;
    for (let i = 0; i < MAX_UNREAD_EVENTS + 10; i++) void put(store, 'a', String(i));
    await store.settled();
    // The border moves only a step with each commit, so all of them are still kept.
    const reader = watch({ after: Math.max(before, store.compactRevision) });
    let count = 0;
    while (count < store.revision - Math.max(before, store.compactRevision)) {
      await reader.next();
      count += 1;
    }
    assert.ok(count > MAX_UNREAD_EVENTS - 1000);
  });

  it('marks the end of what was there, then its position again and again and just before its end', async () => {
    await put(store, 'a', 'green');
    const reader = watch({ markInitialEnd: true, bookmarks: { everyMs: 50_000, lastMs: 118_000 } });
    const next = async () => textOf((await reader.next()).value ?? assert.fail('the watch ended'));
    const { revision } = store;
    assert.deepEqual([await next(), await next()], [`ADDED a ${revision}`, `BOOKMARK ${revision} end`]);
    const pending = next();
    // Changes of other resources move the position too.
    await store.put({ resource: 'others', namespace: 'n', name: 'x' }, (resourceVersion) =>
      asApiObject({ apiVersion: 'v1', kind: 'Other', metadata: { name: 'x', resourceVersion } }),
    );
    await clock.advance(50_000);
    assert.equal(await pending, `BOOKMARK ${revision + 1}`);
    await clock.advance(68_000);
    assert.deepEqual([await next(), await next()], [`BOOKMARK ${revision + 1}`, `BOOKMARK ${revision + 1}`]);
  });

  it('leaves nothing behind when its reader goes', async () => {
    for (let i = 0; i < 100; i++) {
      const reader = watch();
      const pending = reader.next();
      await put(store, 'a', String(i));
      await pending;
      await reader.return();
    }
    assert.equal(hub.size, 0);
  });
});
