import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from './fake-clock.ts';
import { createSeldom } from './seldom.ts';

describe('what happens seldom', () => {
  it('is due again after its time, for each key, and forgets the oldest', async () => {
    const clock = createFakeClock();
    const isDue = createSeldom(clock, 1_000, 2);
    assert.deepEqual([isDue('a'), isDue('a'), isDue('b')], [true, false, true]);
    await clock.advance(999);
    assert.equal(isDue('a'), false);
    await clock.advance(1);
    assert.deepEqual([isDue('a'), isDue('a')], [true, false]);
    assert.deepEqual([isDue('c'), isDue('b')], [true, true], 'b was the oldest of three');
  });
});
