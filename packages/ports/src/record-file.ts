import type { Clock } from './clock.ts';
import { errorText } from './error.ts';
import type { Logger } from './log.ts';
import { createRotatingAppender, type RotationLimits } from './rotating-appender.ts';

/** Bounds of a file of records. */
export interface RecordFileLimits extends RotationLimits {
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
  const { clock } = options;
  const limits = { ...RECORD_FILE_LIMITS, ...options.limits };
  const queue = createLineQueue();
  const writer = createWriter(options, limits);
  let work: Promise<void> | undefined;
  let cancelStart: (() => void) | undefined;
  const isFull = (): boolean => writer.problem === undefined && queue.bytes > limits.fullBytes;

  function startIn(delayMs: number): void {
    cancelStart?.();
    // Every append opens the file: under load there are a few a second, not one for each line.
    cancelStart = clock.after(delayMs, startNow);
  }

  function schedule(): void {
    if (isFull()) startNow();
    else if (cancelStart === undefined) startIn(writer.problem === undefined ? limits.gatherMs : limits.retryMs);
  }

  /** One append: what comes meanwhile is for the next one, so that who waits for a line does not wait for all that follow. */
  function startNow(): void {
    cancelStart?.();
    cancelStart = undefined;
    if (queue.isEmpty || work !== undefined) return;
    work = writer.write(queue.take()).finally(() => {
      work = undefined;
      // It fails, and makes nobody wait then.
      queue.release();
      if (!queue.isEmpty) schedule();
    });
  }

  async function flushed(): Promise<void> {
    await work;
    startNow();
    await work;
  }

  return {
    counts: writer.counts,
    get problem() {
      return writer.problem;
    },
    get isIdle() {
      return queue.isEmpty && work === undefined;
    },
    write(line) {
      if (!queue.isEmpty && queue.bytes + line.length > limits.waitingBytes) {
        writer.counts.lost += 1;
        return !isFull();
      }
      queue.add(line);
      if (work === undefined) schedule();
      return !isFull();
    },
    drained: async () => {
      if (isFull()) await queue.taken();
    },
    flushed,
    async [Symbol.asyncDispose]() {
      await flushed();
      cancelStart?.();
      cancelStart = undefined;
    },
  };
}

/** Lines that wait for the disk. */
function createLineQueue() {
  let lines: string[] = [];
  let bytes = 0;
  let waiter: PromiseWithResolvers<void> | undefined;
  const release = (): void => {
    waiter?.resolve();
    waiter = undefined;
  };
  return {
    /** UTF-16 units, newlines included. */
    get bytes(): number {
      return bytes;
    },
    get isEmpty(): boolean {
      return lines.length === 0;
    },
    add: (line: string): void => {
      lines.push(line);
      bytes += line.length + 1;
    },
    take: (): readonly string[] => {
      const taken = lines;
      lines = [];
      bytes = 0;
      release();
      return taken;
    },
    /** Resolves at the next `take` or `release`. */
    taken: (): Promise<void> => {
      waiter ??= Promise.withResolvers();
      return waiter.promise;
    },
    release,
  };
}

/** Appends lines and counts what became of them. */
function createWriter({ file, name, log }: RecordFileOptions, limits: RotationLimits) {
  const append = createRotatingAppender(file, limits);
  const counts = { written: 0, lost: 0 };
  let problem: string | undefined;
  return {
    counts,
    get problem(): string | undefined {
      return problem;
    },
    /** Never rejects. */
    write: async (lines: readonly string[]): Promise<void> => {
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
    },
  };
}
