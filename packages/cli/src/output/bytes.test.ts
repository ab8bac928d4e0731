import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesText } from './bytes.ts';

describe('a size for people', () => {
  const cases: [bytes: number, want: string][] = [
    [0, '0B'],
    [999, '999B'],
    [1_000, '1.0KiB'],
    [1_536, '1.5KiB'],
    [10_240, '10KiB'],
    [1_048_576, '1.0MiB'],
    [5_000_000_000, '4.7GiB'],
    [2 ** 60, '1024PiB'],
    [-1, '0B'],
  ];
  for (const [bytes, want] of cases) it(`${bytes} is ${want}`, () => assert.equal(bytesText(bytes), want));
});
