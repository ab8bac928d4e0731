import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createFakeClock, until } from '@bloomery/ports';
import { quietMs, watchHostFile } from './watch-host-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'watched-'));
after(() => rmSync(folder, { recursive: true }));

describe('watching a file of the host', () => {
  const cases: [name: string, wokenMs: readonly number[], nowMs: number, want: number][] = [
    ['waits a second after the first change', [], 0, 1_000],
    ['and after many in a minute', Array.from({ length: 19 }, (_, i) => i * 1_000), 19_000, 1_000],
    ['waits half a minute when that goes on and on', Array.from({ length: 20 }, (_, i) => i * 1_000), 20_000, 30_000],
    ['and a second again when it was calm', Array.from({ length: 20 }, (_, i) => i * 1_000), 60_000, 1_000],
  ];
  for (const [name, wokenMs, nowMs, want] of cases) {
    it(name, () => assert.equal(quietMs(wokenMs, nowMs), want));
  }

  /** Lets time pass until the watch has woken so often; what the kernel says of files takes real time. */
  const woken = (clock: ReturnType<typeof createFakeClock>, count: () => number, want: number): Promise<unknown> =>
    until(`it wakes ${want} times`, async () => {
      await clock.advance(1_000);
      return count() >= want;
    });

  it('wakes when it is written, replaced or removed, by whoever, until it is ended', async () => {
    const clock = createFakeClock();
    let count = 0;
    const end = watchHostFile(folder, '/hosts', clock).listen(() => void count++);
    const file = join(folder, 'hosts');
    writeFileSync(file, 'a');
    await woken(clock, () => count, 1);
    let before = count;
    writeFileSync(`${file}.new`, 'b');
    renameSync(`${file}.new`, file);
    await woken(clock, () => count, before + 1);
    before = count;
    rmSync(file);
    await woken(clock, () => count, before + 1);
    end();
    before = count;
    writeFileSync(file, 'c');
    await clock.advance(60_000);
    assert.equal(count, before);
  });

  it('wakes nobody where there is no folder', () => {
    const end = watchHostFile(folder, '/no/such/file', createFakeClock()).listen(() => assert.fail('woken'));
    end();
  });
});
