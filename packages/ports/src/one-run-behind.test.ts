import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { oneRunBehind } from './one-run-behind.ts';

/** Work that ends when it is told to. */
function slowWork() {
  const ends: (() => void)[] = [];
  const work = (): Promise<void> => new Promise((resolve) => void ends.push(resolve));
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { work, settle, runs: () => ends.length, end: (run: number) => ends[run]?.() };
}

describe('work that runs one behind', () => {
  it('serves all who ask during a run with one more run, begun after them', async () => {
    const { work, settle, runs, end } = slowWork();
    const ask = oneRunBehind(work);
    let served = 0;
    const first = ask();
    await settle();
    const others = [ask(), ask(), ask()];
    for (const other of others) void other.then(() => void served++);
    await settle();
    assert.equal(runs(), 1);
    end(0);
    await first;
    await settle();
    assert.deepEqual([runs(), served], [2, 0]);
    end(1);
    await Promise.all(others);
    assert.deepEqual([runs(), served], [2, 3]);
  });

  it('goes on after a failure, of which only those hear who were served by it', async () => {
    let runs = 0;
    const ask = oneRunBehind(async () => {
      runs += 1;
      if (runs === 1) throw new Error('no room');
    });
    const failed = ask();
    await assert.rejects(failed, /no room/);
    await ask();
    assert.equal(runs, 2);
  });
});
