import { appendFile, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from './clock.ts';
import { errorText } from './error.ts';
import type { Logger } from './log.ts';

/** Bounds of a file of records. */
export interface RecordFileLimits {
  /** The file is put aside when it would become larger. */
  readonly fileBytes: number;
  /** Files that were put aside and are kept: `.1` is the newest. */
  readonly oldFiles: number;
  /** When so much waits for the disk, in UTF-16 units, it is written at once and writers are asked to wait. */
  readonly fullBytes: number;
  /** What may wait at most, for writers that do not wait: more is lost and counted. */
  readonly waitingBytes: number;
  /** Lines are gathered for this long before they are written. */
  readonly gatherMs: number;
  /** After a failure the disk is left alone for this long. */
  readonly retryMs: number;
}

/** The bounds unless others are given: 1.25 GiB on disk, 16 MiB in memory. */
export const RECORD_FILE_LIMITS: RecordFileLimits = {
  fileBytes: 256 * 1024 * 1024,
  oldFiles: 4,
  fullBytes: 1024 * 1024,
  waitingBytes: 16 * 1024 * 1024,
  gatherMs: 100,
  retryMs: 5000,
};

/** An open file of records. Disposing it writes what waits. */
export interface RecordFile extends AsyncDisposable {
  /**
   * Takes one line, without its newline. Returns at once and never throws.
   *
   * @returns false: as much waits as should, call again after `drained()`. Who does not wait loses lines in the end.
   */
  write(line: string): boolean;
  /** Resolves when `write` takes lines again; at once when it does. A failing disk makes nobody wait: its lines are lost. */
  drained(): Promise<void>;
  /** Resolves when every line taken so far is in the file, or lost. */
  flushed(): Promise<void>;
  /** Calls back whenever lines came into the file. The returned function ends that. */
  onWritten(listener: () => void): () => void;
  /** Lines that are in the file, and those lost because the disk was full or too slow. */
  readonly counts: { readonly written: number; readonly lost: number };
  /** Why the last write failed; undefined while all is well. */
  readonly problem: string | undefined;
  /** Nothing waits to be written. */
  readonly isIdle: boolean;
}

/** Where the records are kept, and what that needs. */
export interface RecordFileOptions {
  readonly file: string;
  /** First part of the names of log lines about the file: `NAME.write-failed`, `NAME.resumed`. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<RecordFileLimits>;
}

/**
 * Open a file of lines with mode 0600 that is rotated by size. Lines are written in the background, many at once, within about
 * `gatherMs`. Nobody waits for the disk unless he wants to; a full disk loses lines, which is counted and said once.
 */
export function openRecordFile(options: RecordFileOptions): RecordFile {
  const { file, name, clock, log } = options;
  const limits = { ...RECORD_FILE_LIMITS, ...options.limits };
  const append = createAppender(file, limits);
  const listeners = new Set<() => void>();
  let waiting: string[] = [];
  let waitingBytes = 0;
  let work: Promise<void> | undefined;
  let problem: string | undefined;
  let cancelStart: (() => void) | undefined;
  let drained: PromiseWithResolvers<void> | undefined;
  const counts = { written: 0, lost: 0 };
  const isFull = (): boolean => problem === undefined && waitingBytes > limits.fullBytes;

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const lines = waiting;
      waiting = [];
      waitingBytes = 0;
      release();
      try {
        await append(`${lines.join('\n')}\n`);
      } catch (error) {
        counts.lost += lines.length;
        if (problem === undefined)
          log.error(`${name}.write-failed`, { file, lost: counts.lost, error: errorText(error) });
        problem = errorText(error);
        return;
      }
      counts.written += lines.length;
      if (problem !== undefined) log.info(`${name}.resumed`, { file, lost: counts.lost });
      problem = undefined;
      for (const listener of listeners) listener();
    }
  }

  function release(): void {
    drained?.resolve();
    drained = undefined;
  }

  function startIn(delayMs: number): void {
    cancelStart?.();
    // Every append opens the file: under load there are a few a second, not one for each line.
    cancelStart = clock.after(delayMs, startNow);
  }

  function startNow(): void {
    cancelStart?.();
    cancelStart = undefined;
    if (waiting.length === 0 || work !== undefined) return;
    work = flush().finally(() => {
      work = undefined;
      release();
      if (waiting.length > 0) startIn(problem === undefined ? 0 : limits.retryMs);
    });
  }

  async function flushed(): Promise<void> {
    await work;
    startNow();
    await work;
  }

  return {
    counts,
    get problem() {
      return problem;
    },
    get isIdle() {
      return waiting.length === 0 && work === undefined;
    },
    write(line) {
      if (waiting.length > 0 && waitingBytes + line.length > limits.waitingBytes) {
        counts.lost += 1;
        return !isFull();
      }
      waiting.push(line);
      waitingBytes += line.length + 1;
      if (work === undefined) {
        if (isFull()) startNow();
        else if (cancelStart === undefined) startIn(problem === undefined ? limits.gatherMs : limits.retryMs);
      }
      return !isFull();
    },
    async drained() {
      if (!isFull()) return;
      drained ??= Promise.withResolvers();
      await drained.promise;
    },
    flushed,
    onWritten(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async [Symbol.asyncDispose]() {
      await flushed();
      cancelStart?.();
      cancelStart = undefined;
    },
  };
}

/** Append to a file that is put aside when it is full. One call at a time. */
function createAppender(file: string, { fileBytes, oldFiles }: RecordFileLimits): (text: string) => Promise<void> {
  let size: number | undefined;
  return async (text) => {
    const bytes = Buffer.from(text);
    let before = size;
    // After a failure nobody knows what is in the file.
    size = undefined;
    before ??= await openedSize(file);
    if (before > 0 && before + bytes.length > fileBytes) {
      await rotate(file, oldFiles);
      before = await openedSize(file);
    }
    await appendFile(file, bytes, { mode: 0o600 });
    size = before + bytes.length;
  };
}

const NEWLINE = 0x0a;

/** The size of the file, which is made when it is not there, and is for its owner only. A line that broke off is ended. */
async function openedSize(file: string): Promise<number> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await using handle = await open(file, 'a+', 0o600);
  await handle.chmod(0o600);
  const { size } = await handle.stat();
  if (size === 0) return 0;
  const { buffer } = await handle.read({ buffer: Buffer.alloc(1), position: size - 1 });
  // A full disk or a crash may have cut it: the next line must not be part of it.
  if (buffer.readUInt8() === NEWLINE) return size;
  await handle.appendFile('\n');
  return size + 1;
}

async function rotate(file: string, oldFiles: number): Promise<void> {
  await rm(`${file}.${oldFiles}`, { force: true });
  for (let i = oldFiles - 1; i >= 1; i--) await renameIfThere(`${file}.${i}`, `${file}.${i + 1}`);
  if (oldFiles > 0) await rename(file, `${file}.1`);
  else await rm(file);
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
