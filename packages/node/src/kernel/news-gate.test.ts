import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createNewsGate } from './news-gate.ts';

const news = (...numbers: readonly number[]): Uint8Array[] => numbers.map((number) => Uint8Array.of(number));

describe('the gate of news', () => {
  it('holds back from the beginning, lets through in order, and holds again', () => {
    const seen: number[] = [];
    const gate = createNewsGate(([number = 0]) => seen.push(number));
    for (const one of news(1, 2)) gate.take(one);
    assert.deepEqual(seen, []);
    gate.release();
    for (const one of news(3)) gate.take(one);
    assert.deepEqual(seen, [1, 2, 3]);
    gate.hold();
    for (const one of news(4)) gate.take(one);
    gate.hold();
    for (const one of news(5)) gate.take(one);
    gate.release();
    assert.deepEqual(seen, [1, 2, 3, 5]);
  });

  it('has a gap when more come than it holds, until it holds anew', () => {
    const gate = createNewsGate(() => {});
    for (let i = 0; i < 20_000; i++) gate.take(new Uint8Array());
    assert.equal(gate.isWhole(), true);
    gate.take(new Uint8Array());
    assert.equal(gate.isWhole(), false);
    gate.hold();
    assert.equal(gate.isWhole(), true);
  });

  it('tells of a gap that was found behind it, too', () => {
    const gate = createNewsGate(() => gate.noteGap());
    for (const one of news(1)) gate.take(one);
    gate.release();
    assert.equal(gate.isWhole(), false);
  });
});
