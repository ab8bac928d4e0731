import { appendFile, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type JsonObject, stringifyJson } from '@bloomery/model';
import { type Clock, errorText, type Logger } from '@bloomery/ports';

/** Bounds of the audit log. */
export interface AuditLogLimits {
  /** The file is put aside when it would become larger. */
  readonly fileBytes: number;
  /** Files that were put aside and are kept: `.1` is the newest. */
  readonly oldFiles: number;
  /** Lines that wait for the disk; more are lost and counted. */
  readonly waitingBytes: number;
  /** After a failure the disk is left alone for this long. */
  readonly retryMs: number;
}

/** The bounds that hold unless a test says otherwise: 320 MiB on disk, 8 MiB in memory. */
export const AUDIT_LOG_LIMITS: AuditLogLimits = {
  fileBytes: 64 * 1024 * 1024,
  oldFiles: 4,
  waitingBytes: 8 * 1024 * 1024,
  retryMs: 5000,
};

/** Lines are gathered for this long before they are written. */
const GATHER_MS = 100;

/** An open audit log. Disposing it writes what waits. */
export interface AuditLog extends AsyncDisposable {
  /** Takes an event. Returns at once and never throws. */
  write(event: JsonObject): void;
  /** Events taken, and those lost because the disk was full or too slow. */
  readonly counts: { readonly written: number; readonly lost: number };
  /** Why the last write failed; undefined while all is well. */
  readonly problem: string | undefined;
}

/** Where the log is, and what it needs. */
export interface AuditLogOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<AuditLogLimits>;
}

/**
 * Open the audit log: JSON lines in a file of mode 0600. Lines are written in the background, many at once; no request waits for
 * the disk, and a full disk loses lines, not requests. What was lost is counted and said in the log of the server.
 */
export function openAuditLog(options: AuditLogOptions): AuditLog {
  const { file, clock, log } = options;
  const limits = { ...AUDIT_LOG_LIMITS, ...options.limits };
  let waiting: string[] = [];
  let waitingBytes = 0;
  let size: number | undefined;
  let work: Promise<void> | undefined;
  let problem: string | undefined;
  let cancelStart: (() => void) | undefined;
  const counts = { written: 0, lost: 0 };

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const lines = waiting;
      const text = lines.join('');
      waiting = [];
      waitingBytes = 0;
      try {
        await append(text);
        counts.written += lines.length;
        if (problem !== undefined) log.info('audit.resumed', { file, lost: counts.lost });
        problem = undefined;
      } catch (error) {
        counts.lost += lines.length;
        size = undefined;
        if (problem === undefined)
          log.error('audit.write-failed', { file, lost: counts.lost, error: errorText(error) });
        problem = errorText(error);
        return;
      }
    }
  }

  async function append(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    size ??= await openedSize(file);
    if (size > 0 && size + bytes.length > limits.fileBytes) {
      await rotate(file, limits.oldFiles);
      size = await openedSize(file);
    }
    await appendFile(file, bytes, { mode: 0o600 });
    size += bytes.length;
  }

  function start(): void {
    if (work !== undefined || cancelStart !== undefined) return;
    // Every append opens the file: under load there are a few a second, not one for each request.
    startIn(GATHER_MS);
  }

  function startIn(delayMs: number): void {
    cancelStart = clock.after(delayMs, () => {
      cancelStart = undefined;
      if (waiting.length === 0) return;
      work = flush().finally(() => {
        work = undefined;
        if (problem !== undefined) startIn(limits.retryMs);
      });
    });
  }

  return {
    counts,
    get problem() {
      return problem;
    },
    write(event) {
      const line = `${stringifyJson(event)}\n`;
      if (waitingBytes + line.length > limits.waitingBytes) {
        counts.lost += 1;
        return;
      }
      waiting.push(line);
      waitingBytes += line.length;
      start();
    },
    async [Symbol.asyncDispose]() {
      cancelStart?.();
      await work;
      await flush();
    },
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
