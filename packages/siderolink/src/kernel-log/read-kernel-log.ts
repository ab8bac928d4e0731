import { closeSync, constants, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '@bloomery/ports';
import type { KernelLogSource } from './kernel-log-source.ts';

/** Longest record; the kernel's own bound is 8 KiB. */
const RECORD_MAX_BYTES = 16_384;
const POLL_MS = 50;
/** Records between pauses for other work. */
const BATCH = 64;

/** The kernel's log from the start of its ring on. Records that were overwritten before they were read are passed over. */
export function kernelLogReader(clock: Clock, path = '/dev/kmsg'): KernelLogSource {
  return async function* (signal) {
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const buffer = Buffer.alloc(RECORD_MAX_BYTES);
    try {
      for (let count = 1; !signal.aborted; count++) {
        const length = readRecord(file, buffer);
        if (length > 0) yield Uint8Array.from(buffer.subarray(0, length));
        else if (length === 0) await clock.sleep(POLL_MS, signal);
        if (count % BATCH === 0) await setImmediate();
      }
    } finally {
      closeSync(file);
    }
  };
}

/** Bytes of the next record; 0 when there is none now, -1 when some were overwritten. */
function readRecord(file: number, buffer: Buffer): number {
  try {
    return readSync(file, buffer);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EAGAIN') return 0;
    if (code === 'EPIPE') return -1;
    throw error;
  }
}

/** Nanoseconds from the epoch to boot, by the clock that stamps kernel log records. */
export function bootTimeNs(clock: Clock): bigint {
  return BigInt(Math.round(clock.nowMs())) * 1_000_000n - process.hrtime.bigint();
}
