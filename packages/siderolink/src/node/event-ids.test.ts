import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { type Clock, createFakeClock } from '@bloomery/ports';
import { createEventIds } from './event-ids.ts';

describe('event ids', () => {
  it('are xids: 20 characters of base32hex of 12 bytes', () => {
    const bytes = Buffer.from('4d88e15b60f486e428412dc9', 'hex');
    const clock = createFakeClock(bytes.readUInt32BE() * 1_000);
    const nextId = createEventIds(clock, () => bytes.subarray(4, 9));
    // The example of the xid format, but for its counter.
    assert.equal(nextId().slice(0, 14), '9m4e2mr0ui3e8a215n4g'.slice(0, 14));
    assert.match(nextId(), /^[0-9a-v]{20}$/);
  });

  it('sort in the order they were made, also when the clock is set back', () => {
    let nowMs = 1_700_000_000_000;
    const clock: Clock = { ...createFakeClock(), nowMs: () => nowMs };
    const nextId = createEventIds(clock, (length) => randomBytes(length));
    const ids: string[] = [];
    for (const stepMs of [0, 0, 1_000, -3_600_000, 0, 7_200_000, 0]) {
      nowMs += stepMs;
      for (let i = 0; i < 100; i++) ids.push(nextId());
    }
    assert.deepEqual(ids, [...ids].sort());
    assert.equal(new Set(ids).size, ids.length);
  });
});
