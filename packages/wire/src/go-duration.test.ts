import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatGoDuration, parseGoDuration, parseGoDurationMs } from './go-duration.ts';

const durations: readonly [text: string, written: string | undefined][] = [
  ['1h', '1h0m0s'],
  ['90m', '1h30m0s'],
  ['1.5s', '1.5s'],
  ['1500ms', '1.5s'],
  ['250us', '250µs'],
  ['7ns', '7ns'],
  ['-1m30s', '-1m30s'],
  ['0', '0s'],
  ['', undefined],
  ['5', undefined],
  ['1 s', undefined],
  ['1h-1s', undefined],
  ['9999999999h', undefined],
];

describe("durations as Go's time package has them", () => {
  for (const [text, written] of durations) {
    it(JSON.stringify(text), () => {
      const read = parseGoDuration(text);
      assert.equal(read === undefined ? undefined : formatGoDuration(read), written);
    });
  }
});

describe('durations in milliseconds', () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['20m', 1_200_000],
    ['1.5s', 1500],
    ['1500ns', 0.0015],
    ['-5s', -5000],
    ['soon', undefined],
  ];
  for (const [text, want] of cases) it(JSON.stringify(text), () => assert.equal(parseGoDurationMs(text), want));
});
