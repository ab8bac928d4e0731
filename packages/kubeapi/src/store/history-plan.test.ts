import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type HistoryCut,
  type HistoryEntry,
  type HistoryLimits,
  type HistoryState,
  planHistoryCut,
} from './history-plan.ts';

const LIMITS: HistoryLimits = { keepRevisions: 3, keepMs: 1000, keepBytes: 50 };
const entries = (count: number, atMs: number): readonly HistoryEntry[] =>
  Array.from({ length: count }, (_, i) => ({ rev: i + 10, atMs, bytes: 10 }));
const state = (count: number, more: Partial<HistoryState> = {}): HistoryState => ({
  entries: count,
  bytes: count * 10,
  liveBytes: 0,
  nowMs: 5000,
  ...more,
});

const cases: [name: string, state: HistoryState, oldest: readonly HistoryEntry[], want: HistoryCut | undefined][] = [
  ['nothing is forgotten of what must be kept', state(3), entries(3, 0), undefined],
  ['what is old goes but for the number to keep', state(5), entries(5, 0), { upTo: 11, entries: 2, bytes: 20 }],
  ['what is young stays while it is small', state(5), entries(5, 4500), undefined],
  ['exactly as old as promised is still young', state(5), entries(5, 4000), undefined],
  [
    'what is young and too large goes until it is small',
    state(8),
    entries(8, 4500),
    { upTo: 12, entries: 3, bytes: 30 },
  ],
  ['large objects may have a large history', state(8, { liveBytes: 80 }), entries(8, 4500), undefined],
  [
    'the number to keep stays, however large',
    state(4, { bytes: 4000 }),
    entries(4, 4500),
    { upTo: 10, entries: 1, bytes: 10 },
  ],
];

describe('the plan of a compaction', () => {
  for (const [name, size, oldest, want] of cases)
    it(name, () => assert.deepEqual(planHistoryCut(size, LIMITS, oldest), want));

  it('keeps the promised number, and the promised time as long as the size allows', () => {
    const entry = fc.record({ gap: fc.nat(400), bytes: fc.nat(100) });
    const property = fc.property(fc.array(entry, { maxLength: 30 }), fc.nat(300), (steps, liveBytes) => {
      let atMs = 0;
      const all = steps.map(({ gap, bytes }, i): HistoryEntry => {
        atMs += gap;
        return { rev: i + 1, atMs, bytes };
      });
      const bytes = all.reduce((sum, e) => sum + e.bytes, 0);
      const cut = planHistoryCut({ entries: all.length, bytes, liveBytes, nowMs: atMs }, LIMITS, all);
      const left = all.filter((e) => e.rev > (cut?.upTo ?? 0));
      assert.ok(left.length >= Math.min(3, all.length));
      assert.equal(left.length, all.length - (cut?.entries ?? 0));
      const gone = all.slice(0, cut?.entries ?? 0);
      const budget = Math.max(LIMITS.keepBytes, liveBytes);
      let size = bytes;
      for (const e of gone) {
        assert.ok(atMs - e.atMs > LIMITS.keepMs || size > budget, `revision ${e.rev} is forgotten without need`);
        size -= e.bytes;
      }
    });
    fc.assert(property, { numRuns: 500 });
  });
});
