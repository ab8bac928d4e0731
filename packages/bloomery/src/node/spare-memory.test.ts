import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createFakeClock } from '@bloomery/ports';
import { releaseHeapPages } from './heap-pages.ts';
import { spareMemory } from './spare-memory.ts';

const MIB = 1 << 20;

/** A process of 100 MiB at its start, and of 70 after each time that it gave memory back. */
const makeProcess = () => {
  const clock = createFakeClock();
  const process = { rssBytes: 100 * MIB, cpuMs: 0, released: 0 };
  const watch = spareMemory({
    clock,
    measure: () => ({ ...process }),
    release: async () => {
      process.released += 1;
      process.rssBytes = 70 * MIB;
    },
  });
  /** A minute in which it uses so much of a processor. */
  const run = async (mib: number, share: number): Promise<number> => {
    process.rssBytes = mib * MIB;
    for (let i = 0; i < 2; i++) {
      process.cpuMs += share * 30_000;
      await clock.advance(30_000);
    }
    return process.released;
  };
  /** What it does at its start is over. */
  const settle = async (): Promise<number> => {
    await clock.advance(1_000);
    return process.released;
  };
  return { run, settle, watch };
};

describe('memory that can be spared', () => {
  it('is given back after the start', async () => {
    const { run, settle } = makeProcess();
    assert.equal(await settle(), 1);
    assert.equal(await run(80, 0), 1, 'and not again as long as no more is held');
  });
  it('is given back after a rush, when the process rests', async () => {
    const { run, settle } = makeProcess();
    assert.equal(await settle(), 1);
    assert.equal(await run(150, 0.5), 1, 'not in the rush');
    assert.equal(await run(150, 0.01), 2);
  });
  it('is not looked for again while no more is held than after the last time', async () => {
    const { run, settle } = makeProcess();
    await settle();
    await run(150, 0.01);
    assert.equal(await run(80, 0), 2);
    assert.equal(await run(90, 0), 3);
  });
  it('is what is held above the least that was held', async () => {
    const { run, settle } = makeProcess();
    await settle();
    assert.equal(await run(85, 0), 1, 'too little');
    assert.equal(await run(40, 0), 1);
    assert.equal(await run(60, 0), 2);
  });
  it('is left when the daemon ends', async () => {
    const { run, settle, watch } = makeProcess();
    watch[Symbol.dispose]();
    assert.equal(await settle(), 0);
    assert.equal(await run(500, 0), 0);
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
