import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '@bloomery/ports';
import fc from 'fast-check';
import type { State, StateEvent } from '../state.ts';
import { Probe, stateConformance } from '../testing/index.ts';
import { createState } from './create-state.ts';

stateConformance('the state in memory', (historyMax) => createState({ clock: createFakeClock(), historyMax }));

describe('the state in memory', () => {
  it('times are those of the clock: created once, updated with each change', async () => {
    const clock = createFakeClock(1000);
    const state = createState({ clock });
    state.register(Probe);
    state.create(Probe, 'a', Probe.make());
    await clock.advance(500);
    const { metadata } = state.update(Probe, 'a', Probe.make({ size: 1 }), { version: 1 });
    assert.deepEqual([metadata.createdMs, metadata.updatedMs], [1000, 1500]);
  });

  it('remembers 1024 events of a kind unless told otherwise', () => {
    const state = createState({ clock: createFakeClock() });
    state.register(Probe);
    using slow = state.follow(Probe, {});
    for (let i = 0; i < 1024; i++) state.create(Probe, `id-${i}`, Probe.make());
    assert.equal(slow.take(5000).length, 1024);
    for (let i = 0; i < 1024; i++) state.destroy(Probe, `id-${i}`);
    state.create(Probe, 'one too many', Probe.make());
    assert.deepEqual(
      slow.take(5000).map(({ type }) => type),
      ['errored'],
    );
  });
});

describe('a follower of very many resources', () => {
  it('is given them one by one in the time that they take, not in the square of it', () => {
    const count = 40_000;
    const state = createState({ clock: createFakeClock() });
    state.register(Probe);
    for (let i = 0; i < count; i++) state.create(Probe, `id-${i}`, Probe.make());
    using follower = state.follow(Probe, { bootstrap: true });
    const begun = performance.now();
    let taken = 0;
    while (follower.take(1).length > 0) taken += 1;
    assert.equal(taken, count + 1);
    // It takes some milliseconds; copying what is left for each of them takes twenty seconds of a fast machine.
    assert.ok(performance.now() - begun < 5_000);
  });

  it('is given as many as it asks for, in their order', () => {
    const state = createState({ clock: createFakeClock() });
    state.register(Probe);
    for (const id of ['a', 'b', 'c', 'd', 'e']) state.create(Probe, id, Probe.make());
    using follower = state.follow(Probe, { bootstrap: true });
    const ids = (limit: number): string[] =>
      follower.take(limit).map((event) => ('resource' in event ? event.resource.metadata.id : event.type));
    assert.deepEqual([ids(2), ids(2), ids(9), ids(9)], [['a', 'b'], ['c', 'd'], ['e', 'bootstrapped'], []]);
  });
});

describe('a definition of large specs', () => {
  it('has fewer events remembered of it', () => {
    const state = createState({ clock: createFakeClock() });
    const Large = { ...Probe, historyMax: 2 };
    state.register(Large);
    using follower = state.follow(Large, {});
    for (const id of ['a', 'b']) state.create(Large, id, Probe.make());
    assert.equal(follower.take(5).length, 2);
    for (const id of ['c', 'd', 'e']) state.create(Large, id, Probe.make());
    assert.deepEqual(
      follower.take(5).map(({ type }) => type),
      ['errored'],
    );
  });
});

type Step = readonly [action: 'create' | 'update' | 'teardown' | 'destroy' | 'hold' | 'release', id: string, n: number];

const steps = fc.array(
  fc.tuple(
    fc.constantFrom<Step[0][]>('create', 'update', 'teardown', 'destroy', 'hold', 'release'),
    fc.constantFrom('a', 'b', 'c'),
    fc.nat(3),
  ),
  { maxLength: 120 },
);

/** Whether the step was taken: what the rules refuse changes nothing. */
function take(state: State, [action, id, n]: Step): boolean {
  try {
    const version = state.get(Probe, id)?.metadata.version ?? 0;
    if (action === 'create') state.create(Probe, id, Probe.make({ size: n }));
    else if (action === 'update') state.update(Probe, id, Probe.make({ size: n }), { version });
    else if (action === 'teardown') state.teardown(Probe, id);
    else if (action === 'destroy') state.destroy(Probe, id);
    else if (action === 'hold') state.addFinalizer(Probe, id, `finalizer-${n}`);
    else state.removeFinalizer(Probe, id, `finalizer-${n}`);
    return true;
  } catch {
    return false;
  }
}

/** Replay events on nothing. */
function replay(events: readonly StateEvent<unknown>[]): ReadonlyMap<string, number> {
  const versions = new Map<string, number>();
  for (const event of events) {
    if (event.type === 'created') {
      assert.equal(versions.has(event.resource.metadata.id), false, 'created what was there');
      versions.set(event.resource.metadata.id, event.resource.metadata.version);
    } else if (event.type === 'updated') {
      const { id, version } = event.resource.metadata;
      assert.equal(versions.get(id), version - 1, 'a version was left out');
      assert.equal(event.old.metadata.version, version - 1);
      versions.set(id, version);
    } else if (event.type === 'destroyed') {
      assert.deepEqual(event.resource.metadata.finalizers, []);
      assert.equal(versions.delete(event.resource.metadata.id), true, 'destroyed what was not there');
    }
  }
  return versions;
}

const present = (state: State): ReadonlyMap<string, number> =>
  new Map(state.list(Probe).map(({ metadata }) => [metadata.id, metadata.version]));

describe('whatever happens to a state', () => {
  it('watchers that replay what they are told come to the same resources and versions', () => {
    fc.assert(
      fc.property(steps, fc.nat(120), (all, splitAt) => {
        const state = createState({ clock: createFakeClock() });
        state.register(Probe);
        const fromStart: StateEvent<unknown>[] = [];
        const late: StateEvent<unknown>[] = [];
        state.watch(Probe, {}, (event) => fromStart.push(event));
        for (const [i, step] of all.entries()) {
          if (i === splitAt) state.watch(Probe, { bootstrap: true }, (event) => late.push(event));
          const before = state.list(Probe);
          if (!take(state, step)) assert.equal(state.list(Probe), before, 'a refused step changed something');
        }
        assert.deepEqual(replay(fromStart), present(state));
        if (splitAt < all.length) {
          // A bootstrap begins in the middle of the versions: only the end is compared.
          const seen = new Map<string, number>();
          for (const event of late) {
            if (event.type === 'created' || event.type === 'updated')
              seen.set(event.resource.metadata.id, event.resource.metadata.version);
            else if (event.type === 'destroyed') seen.delete(event.resource.metadata.id);
          }
          assert.deepEqual(seen, present(state));
        }
      }),
    );
  });

  it('a follower that goes on from any bookmark misses nothing and sees nothing twice', () => {
    fc.assert(
      fc.property(steps, fc.nat(200), fc.integer({ min: 1, max: 7 }), (all, stopAt, limit) => {
        const state = createState({ clock: createFakeClock() });
        state.register(Probe);
        using whole = state.follow(Probe, {});
        for (const step of all) take(state, step);
        const events = whole.take(1000);
        const cut = events[Math.min(stopAt, events.length - 1)];
        if (cut === undefined || !('bookmark' in cut) || cut.bookmark === undefined) return;
        using rest = state.follow(Probe, { fromBookmark: cut.bookmark });
        const taken: StateEvent<unknown>[] = [];
        for (let some = rest.take(limit); some.length > 0; some = rest.take(limit)) taken.push(...some);
        assert.deepEqual(taken, events.slice(events.indexOf(cut) + 1));
      }),
    );
  });
});
