import { closeSync, existsSync, fsync, openSync, readFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/**
 * The highest acknowledged revision, kept outside the database: a database that ends below it has lost acknowledged writes,
 * which SQLite alone cannot notice, for it takes a damaged write-ahead log for one that ends early.
 */
export interface AcknowledgedMark {
  /** Record a revision that is on disk. Costs one small write and no flush. A failure only makes the mark weaker. */
  record(revision: number): void;
  /** Flush in the background what was recorded since the last call. */
  flush(): void;
  /** Flush and close the file. */
  close(): Promise<void>;
}

const DIGITS = 16;

function markText(revision: number): string {
  const text = `bloomery store 1 acknowledged ${String(revision).padStart(DIGITS, '0')}`;
  return `${text} ${crc32(text).toString(16).padStart(8, '0')}\n`;
}

/** The revision in a mark file; undefined when there is none or it cannot be read, which proves nothing. */
export function readMark(file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'latin1');
  const revision = Number(/acknowledged (\d{16}) /.exec(text)?.[1] ?? Number.NaN);
  return text === markText(revision) ? revision : undefined;
}

/** Open (or make, 0600) the mark file. */
export function openMark(file: string, revision: number): AcknowledgedMark {
  const handle = openSync(file, existsSync(file) ? 'r+' : 'wx', 0o600);
  let isDirty = false;
  let flushing: Promise<void> | undefined;
  let isOpen = true;
  const mark: AcknowledgedMark = {
    record(acknowledged) {
      try {
        writeSync(handle, markText(acknowledged), 0);
        isDirty = true;
      } catch {
        // The mark stays where it was: it claims less than is on disk, never more.
      }
    },
    flush() {
      if (!isDirty || flushing !== undefined || !isOpen) return;
      isDirty = false;
      flushing = new Promise<void>((resolve) => {
        // A failure makes the mark weaker, as above.
        fsync(handle, () => resolve());
      }).then(() => {
        flushing = undefined;
      });
    },
    async close() {
      if (!isOpen) return;
      await flushing;
      mark.flush();
      isOpen = false;
      await flushing;
      closeSync(handle);
    },
  };
  mark.record(revision);
  return mark;
}
