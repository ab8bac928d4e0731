import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backOffMs, fraction } from './back-off.ts';

describe('back-off', () => {
  it('doubles from its first to its longest time, and is spread over the upper half of it', () => {
    const bounds = { firstMs: 100, maxMs: 500 };
    const spread = (failures: number): readonly number[] =>
      [0, 0.999_999].map((r) => backOffMs(failures, bounds, () => r));
    assert.deepEqual([1, 2, 3, 4, 1_000].map(spread), [
      [50, 100],
      [100, 200],
      [200, 400],
      [250, 500],
      [250, 500],
    ]);
  });

  it('takes its spread out of random bytes', () => {
    assert.equal(
      fraction((length) => new Uint8Array(length)),
      0,
    );
    const high = fraction((length) => new Uint8Array(length).fill(255));
    assert.ok(high > 0.999 && high < 1, `${high}`);
  });
});
