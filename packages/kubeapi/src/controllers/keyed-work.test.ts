import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BloomeryError, createFakeClock, silentLog } from '@bloomery/ports';
import { createKeyedWork } from './keyed-work.ts';

describe('a queue of housekeeping', () => {
  it('runs the work of a key once for many requests, and again when asked while it runs', async () => {
    const work = createKeyedWork(silentLog, createFakeClock());
    let runs = 0;
    const gate = Promise.withResolvers<void>();
    const run = async () => {
      runs += 1;
      await gate.promise;
    };
    for (let i = 0; i < 10; i++) work.add('a', run);
    await nextTurn();
    for (let i = 0; i < 10; i++) work.add('a', run);
    await nextTurn();
    assert.equal(runs, 1);
    gate.resolve();
    await work.idle();
    assert.equal(runs, 2);
  });

  it('tries what failed for now again, with growing pauses, and drops what failed for good', async () => {
    const clock = createFakeClock();
    const work = createKeyedWork(silentLog, clock);
    const times: number[] = [];
    work.add('disk', async () => {
      times.push(clock.nowMs());
      if (times.length < 4) throw new BloomeryError('BLM_STORE_WRITE_FAILED', 'full', { retryable: true });
    });
    let hopeless = 0;
    work.add('fault', async () => {
      hopeless += 1;
      throw new Error('a fault');
    });
    await work.idle();
    await clock.advance(60_000);
    assert.deepEqual([times, hopeless], [[0, 1000, 3000, 7000], 1]);
  });

  it('takes nothing more after it was stopped', async () => {
    const work = createKeyedWork(silentLog, createFakeClock());
    work.stop();
    let runs = 0;
    work.add('a', async () => {
      runs += 1;
    });
    await work.idle();
    assert.equal(runs, 0);
  });
});
