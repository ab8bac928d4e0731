import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '@bloomery/ports';
import { createMachineTurns } from './machine-turns.ts';
import { createSeenEvents, eventKey } from './seen-events.ts';

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
  const data = { typeUrl: 'machine.PhaseEvent', value: new Uint8Array([1]) };
  const key = (id: string, of = data): number => eventKey(id, of) ?? -1;

  it('are known by id and content', () => {
    const seen = createSeenEvents();
    seen.add(key('a'));
    assert.deepEqual([seen.has(key('a')), seen.has(key('b'))], [true, false]);
    assert.equal(seen.has(key('a', { ...data, value: new Uint8Array([2]) })), false);
    assert.equal(eventKey('', data), undefined);
  });

  it('are the last 128 ones', () => {
    const seen = createSeenEvents();
    for (let i = 0; i <= 128; i++) seen.add(key(`${i}`));
    assert.deepEqual(
      [0, 1, 128].map((i) => seen.has(key(`${i}`))),
      [false, true, true],
    );
  });
});
