import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { silentLog } from '@bloomery/ports';
import type { RunProgram } from '../machine.ts';
import { planWipe } from './plan-wipe.ts';
import { wipeDisk } from './wipe-disk.ts';

const MIB = 1 << 20;
/** A machine whose disks know neither discard nor zeroing: writing is all that is left. */
const noPrograms: RunProgram = async () => ({ code: 127, stdout: '', stderr: '' });
/** A disk that claims to have discarded but did nothing. */
const lyingPrograms: RunProgram = async () => ({ code: 0, stdout: '', stderr: '' });

describe('wiping', () => {
  let dir = '';
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'bloomery-wipe-'));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  const wiped = async (bytes: number, mode: 'fast' | 'full', run: RunProgram): Promise<Buffer> => {
    const path = join(dir, `disk-${bytes}-${mode}`);
    writeFileSync(path, Buffer.alloc(bytes, 0xaa));
    assert.equal(await wipeDisk({ path, sizeBytes: BigInt(bytes), mode }, { run, log: silentLog }), true);
    const left = readFileSync(path);
    rmSync(path);
    return left;
  };
  const ranges = (disk: Buffer): string =>
    Array.from({ length: disk.length / 512 }, (_, n) => (disk[n * 512] === 0 ? '0' : '#'))
      .join('')
      .replace(/(.)\1*/g, (run) => `${run[0]}${run.length}`);

  for (const [name, run] of [
    ['of a disk without discard', noPrograms],
    ['of a disk that lies', lyingPrograms],
  ] as const) {
    it(`fast ${name} zeroes the first and the last MiB, and only these`, async () => {
      assert.equal(ranges(await wiped(4 * MIB, 'fast', run)), '02048#409602048');
    });
    it(`in full ${name} leaves nothing`, async () => {
      assert.equal(ranges(await wiped(3 * MIB + 512, 'full', run)), '06145');
    });
  }
  it('skips a disk that cannot be opened', async () => {
    const target = { path: join(dir, 'absent'), sizeBytes: 512n, mode: 'full' } as const;
    assert.equal(await wipeDisk(target, { run: noPrograms, log: silentLog }), false);
  });
  it('fails the run when a disk is smaller than it says', async () => {
    const path = join(dir, 'full');
    await assert.rejects(
      wipeDisk({ path: '/dev/full', sizeBytes: 512n, mode: 'full' }, { run: noPrograms, log: silentLog }),
      { code: 'BLM_AGENT_DISK_FAILED' },
      path,
    );
  });
});

it('a small disk is zeroed whole by a fast wipe', () => {
  assert.deepEqual(planWipe(1000n, 'fast').zero, [{ start: 0n, length: 1000n }]);
  assert.deepEqual(planWipe(BigInt(MIB) * 2n, 'fast').zero.length, 2);
});
