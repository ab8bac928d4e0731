import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '@bloomery/ports';
import { createMachineTurns } from './machine-turns.ts';
import { createSeenEvents, type EventKey, eventKey, type SeenEvents } from './seen-events.ts';

const never = new AbortController().signal;
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns of machines', () => {
  it('are one after another for one machine, and side by side for several', async () => {
    const turns = createMachineTurns(createFakeClock());
    const log: string[] = [];
    const gate = Promise.withResolvers<void>();
    const work = (name: string, wait?: Promise<void>) => async () => {
      log.push(`${name} starts`);
      await wait;
      log.push(`${name} ends`);
    };
    const slow = turns.run('a', work('a1', gate.promise), never);
    const next = turns.run('a', work('a2'), never);
    await turns.run('b', work('b1'), never);
    assert.deepEqual(log, ['a1 starts', 'b1 starts', 'b1 ends']);
    gate.resolve();
    await Promise.all([slow, next]);
    assert.deepEqual(log.slice(3), ['a1 ends', 'a2 starts', 'a2 ends']);
  });

  it('go on after a work that failed', async () => {
    const turns = createMachineTurns(createFakeClock());
    await assert.rejects(
      turns.run('a', async () => assert.fail('no'), never),
      /no/,
    );
    assert.equal(await turns.run('a', async () => 7, never), 7);
  });

  it('are not for callers that have gone: what came late does not overtake what came after it', async () => {
    const turns = createMachineTurns(createFakeClock());
    const gate = Promise.withResolvers<void>();
    const gone = new AbortController();
    const first = turns.run('a', () => gate.promise, never);
    const late = turns.run('a', async () => assert.fail('the late one ran'), gone.signal);
    gone.abort();
    gate.resolve();
    await first;
    await assert.rejects(late, { facts: { status: 'CANCELLED' } });
  });

  it('are refused when 64 of the machine wait', async () => {
    const turns = createMachineTurns(createFakeClock());
    const gate = Promise.withResolvers<void>();
    const waiting = Array.from({ length: 64 }, () => turns.run('a', () => gate.promise, never));
    await assert.rejects(
      turns.run('a', async () => {}, never),
      { facts: { status: 'RESOURCE_EXHAUSTED' } },
    );
    assert.equal(await turns.run('b', async () => 1, never), 1);
    gate.resolve();
    await Promise.all(waiting);
    assert.equal(await turns.run('a', async () => 2, never), 2);
  });

  it('slow down a machine that floods, and no other', async () => {
    const clock = createFakeClock();
    const turns = createMachineTurns(clock);
    for (let i = 0; i < 2_000; i++) await turns.run('a', async () => {}, never);
    let done = false;
    const slowed = turns.run('a', async () => (done = true), never);
    await settle();
    assert.equal(done, false);
    assert.equal(await turns.run('b', async () => 1, never), 1);
    await clock.advance(1);
    await slowed;
    assert.equal(done, true);
  });
});

describe('seen events', () => {
  const key = (id: string, content: string): EventKey => {
    const found = eventKey(id, { typeUrl: 'machine.PhaseEvent', value: Buffer.from(content) });
    assert.ok(found);
    return found;
  };
  const seenOf = (...added: [id: string, content: string][]): SeenEvents => {
    const seen = createSeenEvents();
    for (const [id, content] of added) seen.add(key(id, content));
    return seen;
  };

  it('are known by id and content', () => {
    const { isRepeated } = seenOf(['a', 'x'], ['b', 'y']);
    assert.deepEqual(
      [isRepeated(key('a', 'x')), isRepeated(key('a', 'y')), isRepeated(key('c', 'x'))],
      [true, false, false],
    );
    assert.equal(eventKey('', { typeUrl: 'x', value: new Uint8Array() }), undefined);
  });

  it('do not believe the ids of a machine that gives the same to different events', () => {
    const { isRepeated } = seenOf(['a', 'x'], ['a', 'y']);
    assert.deepEqual([isRepeated(key('a', 'x')), isRepeated(key('a', 'y'))], [false, false]);
  });

  it('are the last 128 ones', () => {
    const { isRepeated } = seenOf(...Array.from({ length: 129 }, (_, i): [string, string] => [`${i}`, 'x']));
    assert.deepEqual(
      [0, 1, 128].map((i) => isRepeated(key(`${i}`, 'x'))),
      [false, true, true],
    );
  });
});
