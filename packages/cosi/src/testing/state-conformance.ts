import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import { NamespaceResource, ResourceDefinitionResource } from '../meta/resource-definition-resource.ts';
import { defineResource } from '../resource-definition.ts';
import { list, text, uint } from '../spec/field.ts';
import type { State, StateEvent, WatchOptions } from '../state.ts';

/** A type for tests. */
export const Probe = defineResource({
  type: 'ProbeThings.test.bloomery.dev',
  namespace: 'test',
  spec: { name: text(1), size: uint(2), tags: list(3, text(1)) },
});

/** What events tell, in short: `created a@1`. */
export function eventText(event: StateEvent): string {
  switch (event.type) {
    case 'bootstrapped':
    case 'errored':
      return event.type;
    case 'absent':
      return `absent ${event.id}`;
    default: {
      const { id, version, phase } = event.resource.metadata;
      return `${event.type} ${id}@${version}${phase === 'running' ? '' : ' tearingDown'}`;
    }
  }
}

/** Rules that every State keeps. `makeState` gives an empty one that remembers `historyMax` events of a kind. */
export function stateConformance(name: string, makeState: (historyMax: number) => State): void {
  const HISTORY = 16;
  let state: State;
  const spec = (size: number): ReturnType<typeof Probe.make> => Probe.make({ name: 'probe', size });
  const create = (id: string, owner = ''): void => {
    state.create(Probe, id, spec(0), { owner });
  };
  const update = (id: string, size: number): number => {
    const version = state.get(Probe, id)?.metadata.version ?? 0;
    return state.update(Probe, id, spec(size), { version }).metadata.version;
  };
  const told = (options: WatchOptions): string[] => {
    const texts: string[] = [];
    state.watch(Probe, options, (event) => texts.push(eventText(event)));
    return texts;
  };
  const refusal = (code: string) => (error: unknown) => isBloomeryError(error) && error.code === code;

  describe(`${name} keeps the rules of COSI`, () => {
    beforeEach(() => {
      state = makeState(HISTORY);
      state.register(Probe);
    });

    describe('writes', () => {
      it('a resource begins at version 1, running, with nothing attached', () => {
        const { metadata } = state.create(Probe, 'a', spec(1));
        const { version, phase, owner, labels, annotations, finalizers } = metadata;
        assert.deepEqual(
          { version, phase, owner, labels, annotations, finalizers },
          { version: 1, phase: 'running', owner: '', labels: {}, annotations: {}, finalizers: [] },
        );
      });

      it('a second resource of the same id is refused', () => {
        create('a');
        assert.throws(() => create('a'), refusal('BLM_COSI_EXISTS'));
      });

      it('the same id in another namespace is another resource', () => {
        create('a');
        state.create(Probe, 'a', spec(7), { namespace: 'elsewhere' });
        assert.equal(state.get(Probe, 'a')?.spec.size, 0);
        assert.equal(state.get(Probe, 'a', { namespace: 'elsewhere' })?.spec.size, 7);
      });

      it('each change is one version more', () => {
        create('a');
        assert.deepEqual([update('a', 1), update('a', 2)], [2, 3]);
      });

      it('a change of nothing writes nothing, and nobody is told', () => {
        create('a');
        const events = told({});
        assert.equal(update('a', 0), 1);
        assert.deepEqual(events, []);
      });

      it('new labels alone are a change; labels that are not given stay', () => {
        create('a');
        const labels = { tier: 'one' };
        assert.equal(state.update(Probe, 'a', spec(0), { version: 1, labels }).metadata.version, 2);
        assert.deepEqual(state.update(Probe, 'a', spec(1), { version: 2 }).metadata.labels, labels);
      });

      it('a change of an older version is refused, and names both', () => {
        create('a');
        update('a', 1);
        assert.throws(() => state.update(Probe, 'a', spec(2), { version: 1 }), {
          code: 'BLM_COSI_CONFLICT',
          message: /expected version "1", actual version "2"/,
        });
      });

      it('what has an owner is changed, torn down and destroyed by nobody else', () => {
        create('a', 'net.Controller');
        for (const owner of ['', 'other.Controller']) {
          assert.throws(() => state.update(Probe, 'a', spec(1), { version: 1, owner }), refusal('BLM_COSI_OWNER'));
          assert.throws(() => state.teardown(Probe, 'a', { owner }), refusal('BLM_COSI_OWNER'));
          assert.throws(() => state.destroy(Probe, 'a', { owner }), refusal('BLM_COSI_OWNER'));
        }
        state.destroy(Probe, 'a', { owner: 'net.Controller' });
        assert.equal(state.get(Probe, 'a'), undefined);
      });

      it('what is not there is not found by any write', () => {
        const notFound = refusal('BLM_COSI_NOT_FOUND');
        assert.throws(() => state.update(Probe, 'a', spec(1), { version: 1 }), notFound);
        assert.throws(() => state.teardown(Probe, 'a'), notFound);
        assert.throws(() => state.destroy(Probe, 'a'), notFound);
        assert.throws(() => state.addFinalizer(Probe, 'a', 'x'), notFound);
        assert.throws(() => state.removeFinalizer(Probe, 'a', 'x'), notFound);
      });

      it('types that are not registered are refused', () => {
        const Unknown = { ...Probe, type: 'Unknowns.test.bloomery.dev' };
        assert.throws(() => state.list(Unknown), refusal('BLM_COSI_UNKNOWN_TYPE'));
        assert.throws(() => state.create(Unknown, 'a', spec(1)), refusal('BLM_COSI_UNKNOWN_TYPE'));
      });

      it('resources are listed in the order of their ids', () => {
        for (const id of ['b', 'a', 'B', 'aa', '10', '9']) create(id);
        assert.deepEqual(
          state.list(Probe).map(({ metadata }) => metadata.id),
          ['10', '9', 'B', 'a', 'aa', 'b'],
        );
      });

      it('what was read is not changed by later writes', () => {
        create('a');
        const before = state.get(Probe, 'a');
        update('a', 5);
        assert.equal(before?.spec.size, 0);
        assert.equal(before.metadata.version, 1);
      });
    });

    describe('the end of a resource', () => {
      it('torn down without finalizers it can be destroyed at once', () => {
        create('a');
        assert.equal(state.teardown(Probe, 'a'), true);
        assert.equal(state.get(Probe, 'a')?.metadata.phase, 'tearingDown');
        state.destroy(Probe, 'a');
        assert.equal(state.get(Probe, 'a'), undefined);
      });

      it('finalizers keep it until the last is gone', () => {
        create('a');
        state.addFinalizer(Probe, 'a', 'x');
        state.addFinalizer(Probe, 'a', 'y');
        assert.equal(state.teardown(Probe, 'a'), false);
        assert.throws(() => state.destroy(Probe, 'a'), refusal('BLM_COSI_CONFLICT'));
        state.removeFinalizer(Probe, 'a', 'x');
        assert.equal(state.teardown(Probe, 'a'), false);
        state.removeFinalizer(Probe, 'a', 'y');
        assert.equal(state.teardown(Probe, 'a'), true);
        state.destroy(Probe, 'a');
      });

      it('the same finalizer twice is one, and removing one that is not there is nothing', () => {
        create('a');
        state.addFinalizer(Probe, 'a', 'x');
        state.addFinalizer(Probe, 'a', 'x');
        state.removeFinalizer(Probe, 'a', 'never there');
        const { finalizers, version } = state.get(Probe, 'a')?.metadata ?? {};
        assert.deepEqual([finalizers, version], [['x'], 2]);
      });

      it('while it is torn down it takes no finalizer, and no change but on purpose', () => {
        create('a');
        state.teardown(Probe, 'a');
        assert.throws(() => state.addFinalizer(Probe, 'a', 'x'), refusal('BLM_COSI_PHASE'));
        assert.throws(() => update('a', 1), refusal('BLM_COSI_PHASE'));
        const changed = state.update(Probe, 'a', spec(1), { version: 2, expectedPhase: 'any' });
        assert.equal(changed.spec.size, 1);
        assert.equal(changed.metadata.phase, 'tearingDown');
      });

      it('a running one is refused where one that is torn down is expected', () => {
        create('a');
        const options = { version: 1, expectedPhase: 'tearingDown' } as const;
        assert.throws(() => state.update(Probe, 'a', spec(1), options), refusal('BLM_COSI_PHASE'));
      });

      it('a new one of the same id begins at version 1 again', () => {
        create('a');
        update('a', 1);
        state.destroy(Probe, 'a');
        assert.equal(state.create(Probe, 'a', spec(0)).metadata.version, 1);
      });
    });

    describe('watches', () => {
      it('of a kind see every later change in order', () => {
        create('old');
        const events = told({});
        create('a');
        update('a', 1);
        state.teardown(Probe, 'a');
        state.destroy(Probe, 'a');
        assert.deepEqual(events, [
          'created a@1',
          'updated a@2',
          'updated a@3 tearingDown',
          'destroyed a@3 tearingDown',
        ]);
      });

      it('with bootstrap contents see first what is there, then that this was all', () => {
        create('b');
        create('a');
        const events = told({ bootstrap: true });
        create('c');
        assert.deepEqual(events, ['created a@1', 'created b@1', 'bootstrapped', 'created c@1']);
      });

      it('of one resource begin with it, or with its absence', () => {
        create('a');
        const present = told({ id: 'a' });
        const absent = told({ id: 'b' });
        create('b');
        update('a', 1);
        assert.deepEqual(present, ['created a@1', 'updated a@2']);
        assert.deepEqual(absent, ['absent b', 'created b@1']);
      });

      it('tell the old spec beside the new one', () => {
        create('a');
        const sizes: (readonly [number, number])[] = [];
        state.watch(Probe, {}, (event) => {
          if (event.type === 'updated') sizes.push([event.old.spec.size, event.resource.spec.size]);
        });
        update('a', 3);
        update('a', 4);
        assert.deepEqual(sizes, [
          [0, 3],
          [3, 4],
        ]);
      });

      it('begin with the last events when asked, of one id those of that id', () => {
        create('a');
        create('b');
        update('b', 1);
        update('a', 1);
        assert.deepEqual(told({ tailEvents: 2 }), ['updated b@2', 'updated a@2']);
        assert.deepEqual(told({ tailEvents: 2, id: 'b' }), ['created b@1', 'updated b@2']);
        assert.deepEqual(told({ tailEvents: 100 }).length, 4);
      });

      it('go on after a bookmark without loss', () => {
        const bookmarks: bigint[] = [];
        const events: string[] = [];
        state.watch(Probe, {}, (event) => {
          events.push(eventText(event));
          if ('bookmark' in event && event.bookmark !== undefined) bookmarks.push(event.bookmark);
        });
        create('a');
        create('b');
        update('a', 1);
        assert.equal(bookmarks.length, 3);
        for (const [i, fromBookmark] of bookmarks.entries())
          assert.deepEqual(told({ fromBookmark }), events.slice(i + 1));
        assert.deepEqual(told({ fromBookmark: -1n }), events);
      });

      it('a bookmark that the history no longer reaches, or of the future, is refused', () => {
        create('a');
        for (let size = 1; size <= HISTORY + 4; size++) update('a', size);
        const invalid = refusal('BLM_COSI_BOOKMARK');
        for (const fromBookmark of [-2n, -1n, 0n, 3n, 1000n, 1n << 62n])
          assert.throws(() => told({ fromBookmark }), invalid, String(fromBookmark));
        assert.equal(told({ fromBookmark: 4n }).length, HISTORY);
      });

      it('options that exclude each other are refused', () => {
        const refused = refusal('BLM_COSI_WATCH');
        assert.throws(() => told({ id: 'a', bootstrap: true }), refused);
        assert.throws(() => told({ bootstrap: true, tailEvents: 1 }), refused);
        assert.throws(() => told({ fromBookmark: 0n, tailEvents: 1 }), refused);
      });

      it('end when they are ended', () => {
        const events: string[] = [];
        const end = state.watch(Probe, {}, (event) => events.push(eventText(event)));
        create('a');
        end();
        create('b');
        assert.deepEqual(events, ['created a@1']);
      });

      it('a watcher that writes sees its own write after the event that it was told', () => {
        const events: string[] = [];
        state.watch(Probe, {}, (event) => {
          events.push(`begin ${eventText(event)}`);
          if (event.type === 'created' && event.resource.metadata.id === 'a') create('made-by-watcher');
          events.push('end');
        });
        create('a');
        assert.deepEqual(events, ['begin created a@1', 'end', 'begin created made-by-watcher@1', 'end']);
      });

      it('a watcher that throws takes nothing from the others, nor from itself later', () => {
        let calls = 0;
        state.watch(Probe, {}, () => {
          calls += 1;
          throw new Error('a broken watcher');
        });
        const events = told({});
        create('a');
        create('b');
        assert.equal(calls, 2);
        assert.deepEqual(events, ['created a@1', 'created b@1']);
      });

      it('observers see every kind', () => {
        const seen: string[] = [];
        const end = state.observe(({ type, resource }) => seen.push(`${type} ${resource.metadata.type}`));
        create('a');
        end();
        create('b');
        assert.deepEqual(
          seen.filter((text) => text.endsWith(Probe.type)),
          [`created ${Probe.type}`],
        );
      });
    });

    describe('followers', () => {
      it('take at their own pace, and wait for more', async () => {
        using follower = state.follow(Probe, { bootstrap: true });
        create('a');
        create('b');
        assert.deepEqual(follower.take(2).map(eventText), ['bootstrapped', 'created a@1']);
        assert.deepEqual(follower.take(9).map(eventText), ['created b@1']);
        assert.deepEqual(follower.take(9), []);
        const more = follower.ready();
        create('c');
        await more;
        assert.deepEqual(follower.take(9).map(eventText), ['created c@1']);
      });

      it('who falls behind the history is told so, and nothing after it', () => {
        using follower = state.follow(Probe, {});
        create('a');
        for (let size = 1; size <= HISTORY; size++) update('a', size);
        const events = follower.take(100);
        assert.deepEqual(events.map(eventText), ['errored']);
        update('a', 100);
        assert.deepEqual(follower.take(100), []);
      });

      it('who is exactly as far behind as the history reaches loses nothing', () => {
        using follower = state.follow(Probe, {});
        create('a');
        for (let size = 1; size < HISTORY; size++) update('a', size);
        assert.equal(follower.take(100).length, HISTORY);
      });

      it('begins say where to go on from', () => {
        create('a');
        using follower = state.follow(Probe, {});
        create('b');
        assert.deepEqual(told({ fromBookmark: follower.begin }), ['created b@1']);
      });

      it('disposing ends the wait', async () => {
        const follower = state.follow(Probe, {});
        const waits = follower.ready();
        follower[Symbol.dispose]();
        await waits;
      });
    });

    describe('definitions', () => {
      it('types and namespaces appear among the resources', () => {
        assert.equal(state.get(ResourceDefinitionResource, Probe.type.toLowerCase())?.spec.displayType, 'ProbeThing');
        assert.notEqual(state.get(NamespaceResource, 'test'), undefined);
        assert.equal(state.definitionOf(Probe.type), Probe);
        assert.equal(state.definitionOf('Unknowns.test.bloomery.dev'), undefined);
      });

      it('registering twice is nothing', () => {
        const before = state.list(ResourceDefinitionResource);
        state.register(Probe);
        state.registerNamespace('test');
        assert.deepEqual(state.list(ResourceDefinitionResource), before);
      });

      it('a namespace is known when something stands in it, or when it is registered', () => {
        assert.equal(state.hasNamespace('elsewhere'), false);
        state.create(Probe, 'a', spec(1), { namespace: 'elsewhere' });
        state.registerNamespace('later');
        assert.deepEqual([state.hasNamespace('elsewhere'), state.hasNamespace('later')], [true, true]);
      });
    });
  });
}
