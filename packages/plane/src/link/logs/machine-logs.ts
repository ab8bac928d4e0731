import { existsSync, readdirSync, statSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, errorText, type Logger, openRecordFile, type RecordFile } from '@bloomery/ports';

/** Bounds of the kernel logs that are kept for each machine. */
export interface MachineLogLimits {
  /** Newest bytes that are kept of a machine at least, and half of what is kept at most. */
  readonly machineBytes: number;
  /** Bytes of all machines; above it the logs of the machines that were silent for longest go. */
  readonly totalBytes: number;
  /** Lines are gathered for this long, unless somebody reads them. */
  readonly gatherMs: number;
}

/** The bounds unless others are given: 2 to 4 MiB (some 10,000 lines) of each machine, 4 GiB in all. */
export const MACHINE_LOG_LIMITS: MachineLogLimits = {
  machineBytes: 2 * 1024 * 1024,
  totalBytes: 4 * 1024 * 1024 * 1024,
  gatherMs: 500,
};

/** Files that are known to be open at a time; those at rest are forgotten first. */
const MAX_OPEN = 1000;
const OLD_FILES = 1;
const SUFFIX = '.log';
/** Names of Servers; anything else never becomes the name of a file. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** The newest kernel lines of each machine, in a pair of files each. */
export interface MachineLogs extends AsyncDisposable {
  /** Keep a line. @returns false: call again after `drained()`. */
  write(server: string, line: string): boolean;
  drained(): Promise<void>;
  /** Write what waits of one machine. */
  flushed(server: string): Promise<void>;
  /** The file of a machine and how many older ones there may be beside it. undefined when no machine can have that name. */
  seriesOf(server: string): { readonly file: string; readonly oldFiles: number } | undefined;
  /** Whether lines of a machine are kept. */
  has(server: string): boolean;
  /** The number of the newest line, or of the time when it was written; 0 when there was none ever. */
  readonly lastStamp: number;
  /** Lines that could not be kept. */
  readonly lost: number;
}

/** What the logs need. */
export interface MachineLogsOptions {
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<MachineLogLimits>;
}

/**
 * Keep the newest lines of each machine, so that they are found at once and a talkative machine cannot push out those of others.
 * A line in a file is `STAMP LINE`: the time of its receipt in µs, made unique, so that it is also the line's number.
 */
export function openMachineLogs(options: MachineLogsOptions): MachineLogs {
  const { dir, clock } = options;
  const limits = { ...MACHINE_LOG_LIMITS, ...options.limits };
  const log = oneTrouble(options.log);
  const files = new Map<string, RecordFile>();
  const full = new Set<RecordFile>();
  // Stamps rise also when the clock was set back before this start.
  let lastStamp = Math.ceil(newestWriteMs(dir) * 1000);
  let lostBefore = 0;
  let sinceCheck = 0;
  let check = removeOldest(dir, limits.totalBytes, options.log);

  function fileOf(server: string): RecordFile {
    const have = files.get(server);
    if (have !== undefined) return have;
    if (files.size >= MAX_OPEN) forgetIdle();
    const { machineBytes: fileBytes, gatherMs } = limits;
    const file = openRecordFile({
      file: join(dir, `${server}${SUFFIX}`),
      name: 'machine-logs',
      clock,
      log,
      limits: { fileBytes, oldFiles: OLD_FILES, gatherMs },
    });
    files.set(server, file);
    return file;
  }

  function forgetIdle(): void {
    for (const [server, file] of files) {
      if (!file.isIdle) continue;
      lostBefore += file.counts.lost;
      files.delete(server);
    }
  }

  function countBytes(bytes: number): void {
    sinceCheck += bytes;
    if (sinceCheck < limits.totalBytes / 16) return;
    sinceCheck = 0;
    check = check.then(() => removeOldest(dir, limits.totalBytes, options.log));
  }

  return {
    write(server, line) {
      if (!NAME.test(server)) return true;
      lastStamp = Math.max(lastStamp + 1, clock.nowMs() * 1000);
      const file = fileOf(server);
      countBytes(line.length);
      if (file.write(`${lastStamp} ${line}`)) return true;
      full.add(file);
      return false;
    },
    async drained() {
      const waiting = [...full];
      full.clear();
      await Promise.all(waiting.map((file) => file.drained()));
    },
    flushed: async (server) => files.get(server)?.flushed(),
    seriesOf: (server) =>
      NAME.test(server) ? { file: join(dir, `${server}${SUFFIX}`), oldFiles: OLD_FILES } : undefined,
    has: (server) => NAME.test(server) && (files.has(server) || existsSync(join(dir, `${server}${SUFFIX}`))),
    get lastStamp() {
      return lastStamp;
    },
    get lost() {
      return [...files.values()].reduce((sum, file) => sum + file.counts.lost, lostBefore);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...files.values()].map((file) => file[Symbol.asyncDispose]()));
      await check;
    },
  };
}

/** A log in which a full disk is one trouble, not one for each machine. */
function oneTrouble(log: Logger): Logger {
  let isSaid = false;
  const once: Logger = {
    debug: (event, fields) => log.debug(event, fields),
    warn: (event, fields) => log.warn(event, fields),
    error(event, fields) {
      if (!isSaid) log.error(event, fields);
      isSaid = true;
    },
    info(event, fields) {
      if (isSaid) log.info(event, fields);
      isSaid = false;
    },
    with: () => once,
  };
  return once;
}

/** When the newest file of a folder was written, in Unix ms. */
function newestWriteMs(dir: string): number {
  if (!existsSync(dir)) return 0;
  const times = readdirSync(dir).map((name) => statSync(join(dir, name), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return times.reduce((newest, time) => Math.max(newest, time), 0);
}

/** Remove the files of the machines that were silent for longest until all together are small enough again. */
async function removeOldest(dir: string, totalBytes: number, log: Logger): Promise<void> {
  try {
    const names = existsSync(dir) ? await readdir(dir) : [];
    const known = await Promise.all(
      names.map(async (name) => {
        const found = await stat(join(dir, name)).catch(() => undefined);
        return { name, bytes: found?.size ?? 0, atMs: found?.mtimeMs ?? 0 };
      }),
    );
    let total = known.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { name, bytes } of known.sort((a, b) => a.atMs - b.atMs)) {
      if (total <= totalBytes) return;
      await rm(join(dir, name), { force: true });
      total -= bytes;
      log.info('machine-logs.removed', { file: name, why: 'the logs of all machines are larger than they may be' });
    }
  } catch (error) {
    log.warn('machine-logs.not-checked', { dir, error: errorText(error) });
  }
}
