import { type FileHandle, open } from 'node:fs/promises';
import { BloomeryError, errorText, type Logger } from '@bloomery/ports';
import type { RunProgram } from '../machine.ts';
import { type ByteRange, planWipe } from './plan-wipe.ts';

export interface WipeDeps {
  readonly run: RunProgram;
  readonly log: Logger;
}

/** What is wiped, and how. */
export interface WipeTarget {
  readonly path: string;
  readonly sizeBytes: bigint;
  readonly mode: 'fast' | 'full';
}

const CHUNK_BYTES = 1 << 20;
/** A whole disk may take long; the plane watches the heartbeat. */
const DISCARD_TIMEOUT_MS = 24 * 3_600_000;

/**
 * Wipe one disk. The ranges of the plan read as zeroes afterwards, which is checked at both ends of each.
 *
 * @returns false when the disk cannot be opened for writing (no medium, held by somebody): it is skipped.
 * @throws BloomeryError BLM_AGENT_DISK_FAILED when a range could not be zeroed.
 */
export async function wipeDisk({ path, sizeBytes, mode }: WipeTarget, deps: WipeDeps): Promise<boolean> {
  const file = await openForWriting(path, deps.log);
  if (file === undefined) return false;
  try {
    const plan = planWipe(sizeBytes, mode);
    if (plan.discardAll) await deps.run('blkdiscard', ['-f', path], DISCARD_TIMEOUT_MS);
    for (const range of plan.zero) {
      const method = await zeroRange(file, path, range, deps);
      deps.log.info('disk.range', { disk: path, start: range.start, length: range.length, method });
    }
    await file.sync();
  } catch (cause) {
    throw new BloomeryError('BLM_AGENT_DISK_FAILED', `wiping ${path} (${mode}): ${errorText(cause)}`, {
      cause,
      facts: { disk: path, mode },
    });
  } finally {
    await file.close();
  }
  await deps.run('blockdev', ['--rereadpt', path]);
  return true;
}

async function openForWriting(path: string, log: Logger): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    log.warn('disk.skipped', { disk: path, error: errorText(error) });
    return undefined;
  }
}

/** The first of secure discard, zeroing by the disk, and writing that leaves zeroes behind. */
async function zeroRange(file: FileHandle, path: string, range: ByteRange, { run }: WipeDeps): Promise<string> {
  const where = ['-f', '-o', String(range.start), '-l', String(range.length), path];
  for (const [method, options] of [
    ['secure discard', ['-s']],
    ['zero out', ['-z']],
  ] as const) {
    const { code } = await run('blkdiscard', [...options, ...where], DISCARD_TIMEOUT_MS);
    if (code === 0 && (await readsAsZero(file, range))) return method;
  }
  await writeZeroes(file, range);
  await file.sync();
  if (!(await readsAsZero(file, range))) throw new TypeError('written zeroes read back as something else');
  return 'written zeroes';
}

/** Looks at the first and the last MiB of the range. */
async function readsAsZero(file: FileHandle, { start, length }: ByteRange): Promise<boolean> {
  const size = Number(length < BigInt(CHUNK_BYTES) ? length : CHUNK_BYTES);
  for (const position of [start, start + length - BigInt(size)]) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size, 1), 0, size, position);
    if (bytesRead !== size || buffer.some((byte) => byte !== 0)) return false;
  }
  return true;
}

async function writeZeroes(file: FileHandle, { start, length }: ByteRange): Promise<void> {
  const zeroes = Buffer.alloc(CHUNK_BYTES);
  const end = start + length;
  for (let at = start; at < end; ) {
    const left = end - at;
    const size = left < BigInt(CHUNK_BYTES) ? Number(left) : CHUNK_BYTES;
    // Positions beyond 2^53 need bigint, which only the promise-less API of Node takes for writes: 8 PiB is enough.
    const { bytesWritten } = await file.write(zeroes, 0, size, Number(at));
    if (bytesWritten === 0) throw new TypeError(`the disk took no bytes at ${at}`);
    at += BigInt(bytesWritten);
  }
}
