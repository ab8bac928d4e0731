import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createFakeClock } from '@bloomery/ports';
import { releaseHeapPages } from './heap-pages.ts';
import { type ProcessUse, spareMemory } from './spare-memory.ts';

const MIB = 1 << 20;

/** A process of 100 MiB at its start, and of 70 after each time that it gave memory back. */
const makeProcess = () => {
  const clock = createFakeClock();
  const process = { rssBytes: 100 * MIB, cpuMs: 0 };
  const released: ('start' | 'rush')[] = [];
  const giveBack = (after: 'start' | 'rush') => async (): Promise<void> => {
    released.push(after);
    process.rssBytes = 70 * MIB;
  };
  const measure = (): ProcessUse => ({ ...process });
  const watch = spareMemory({ clock, measure, afterStart: giveBack('start'), afterRush: giveBack('rush') });
  /** A minute in which it uses so much of a processor. */
  const run = async (mib: number, share: number): Promise<readonly string[]> => {
    process.rssBytes = mib * MIB;
    for (let i = 0; i < 2; i++) {
      process.cpuMs += share * 30_000;
      await clock.advance(30_000);
    }
    return released;
  };
  /** What it does at its start is over. */
  const settle = async (): Promise<readonly string[]> => {
    await clock.advance(1_000);
    return released;
  };
  return { run, settle, watch };
};

describe('memory that can be spared', () => {
  it('is given back after the start', async () => {
    const { run, settle } = makeProcess();
    assert.deepEqual(await settle(), ['start']);
    assert.deepEqual(await run(95, 0), ['start'], 'and not again when some of it is used again');
  });
  it('is given back after a rush, when the process rests', async () => {
    const { run, settle } = makeProcess();
    await settle();
    await run(75, 0);
    assert.deepEqual(await run(150, 0.5), ['start'], 'not in the rush');
    assert.deepEqual(await run(150, 0.01), ['start', 'rush']);
  });
  it('is given back after a rush that began with the start', async () => {
    const { run, settle } = makeProcess();
    await settle();
    await run(150, 0.5);
    assert.deepEqual(await run(150, 0.01), ['start', 'rush']);
  });
  it('is not looked for again while no more is held than when it rested first', async () => {
    const { run, settle } = makeProcess();
    await settle();
    await run(150, 0.5);
    await run(150, 0);
    assert.deepEqual(await run(85, 0), ['start', 'rush'], 'too little');
    assert.deepEqual(await run(90, 0), ['start', 'rush', 'rush']);
  });
  it('is left when the daemon ends', async () => {
    const { run, settle, watch } = makeProcess();
    watch[Symbol.dispose]();
    assert.deepEqual(await settle(), []);
    assert.deepEqual(await run(500, 0), []);
  });
  it('is pages of the heap that nothing is on any more', () => {
    let rush: unknown[] = Array.from({ length: 500_000 }, (_, i) => ({ i, text: `x${i}` }));
    const before = residentKiB();
    assert.ok(rush.length > 0);
    rush = [];
    releaseHeapPages();
    const after = residentKiB();
    assert.ok(before - after > 20_000, `${before} KiB before, ${after} KiB after`);
    assert.equal('gc' in globalThis, false);
  });
});

const residentKiB = (): number =>
  Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
