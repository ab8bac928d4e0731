import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@bloomery/ports';
import { kernelMessageLine, parseKernelMessage } from './kernel-message.ts';

export interface KernelLogOptions {
  /** Where `/dev` and `/proc` are. */
  readonly root: string;
  readonly clock: Clock;
  /** Go on with what comes. */
  readonly follow: boolean;
  /** Only what comes from now on. */
  readonly onlyNew: boolean;
  readonly signal: AbortSignal;
}

/** The kernel's records are at most 8 KiB each. */
const RECORD_BYTES = 8_192;
/** Nothing wakes a reader of /dev/kmsg that does not block a thread: while somebody follows, it is looked at. */
const LOOK_MS = 1_000;
/** What `talosctl dmesg` may take of a kernel that logs without end. */
const MAX_RECORDS = 200_000;

/** Lines of the kernel's log. @throws the error of the file system when it cannot be opened (EPERM in containers) */
export async function* kernelLog(options: KernelLogOptions): AsyncGenerator<string> {
  const { root, clock, follow, onlyNew, signal } = options;
  const file = await open(join(root, 'dev/kmsg'), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const bootMs = await bootTime(root, clock);
    const buffer = Buffer.alloc(RECORD_BYTES);
    let isPast = true;
    for (let count = 0; !signal.aborted && (follow || count < MAX_RECORDS); count++) {
      const record = await readRecord(file, buffer);
      if (record !== undefined) {
        const message = parseKernelMessage(record);
        if (message !== undefined && !(onlyNew && isPast)) yield kernelMessageLine(message, bootMs);
        continue;
      }
      isPast = false;
      if (!follow) return;
      await clock.sleep(LOOK_MS, signal);
    }
  } finally {
    await file.close();
  }
}

/** undefined: there is nothing more at the moment. */
async function readRecord(file: FileHandle, buffer: Buffer): Promise<string | undefined> {
  for (;;) {
    try {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      return bytesRead === 0 ? undefined : buffer.toString('utf8', 0, bytesRead);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EAGAIN') return undefined;
      // EPIPE: the ring was overwritten under us; the next read goes on with the oldest that is left.
      if (code !== 'EPIPE') throw error;
    }
  }
}

/** When the kernel started, in milliseconds since the Unix epoch. */
async function bootTime(root: string, clock: Clock): Promise<number> {
  const uptime = await readFile(join(root, 'proc/uptime'), 'utf8').catch(() => '0');
  return clock.nowMs() - Number.parseFloat(uptime) * 1_000;
}
