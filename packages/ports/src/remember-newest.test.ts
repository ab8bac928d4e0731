import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rememberNewest } from './remember-newest.ts';

describe('a map of the newest', () => {
  it('forgets what was put in longest ago, and takes what is put in again as new', () => {
    const map = new Map<string, number>();
    for (const [key, value] of [
      ['a', 1],
      ['b', 2],
      ['a', 3],
      ['c', 4],
    ] as const) {
      rememberNewest(map, key, value, 2);
    }
    assert.deepEqual(
      [...map],
      [
        ['a', 3],
        ['c', 4],
      ],
    );
  });
});
