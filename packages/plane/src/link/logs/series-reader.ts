import type { Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';

/** A file and those that were put aside when it was full: `.1` is the newest of them. */
export interface Series {
  readonly file: string;
  readonly oldFiles: number;
}

/** A place between two lines of a series. It keeps its meaning when files are put aside, and over restarts. */
export interface SeriesPosition {
  /** Inode and time of birth of the file: inodes are used again. */
  readonly file: string;
  readonly offset: number;
}

/** Lines that were read together. */
export interface SeriesPart {
  /** Whole lines with their newlines. */
  readonly bytes: Buffer;
  /** Where they begin. */
  readonly position: SeriesPosition;
  /** Lines before them are gone: the files went before they were read. */
  readonly isBehindGap: boolean;
}

/** Reads a series that is written and put aside meanwhile. One call at a time. */
export interface SeriesReader extends AsyncDisposable {
  /** The next lines; undefined when there are none for now. */
  read(): Promise<SeriesPart | undefined>;
}

const PART_BYTES = 64 * 1024;
/** No line is longer: an object of 1 MiB of which each byte is escaped. */
const LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;
const MAX_TRIES = 20;

/**
 * Where to begin: at a position, so many bytes before the end (cut to a line), or with the first file that was written to at or
 * after a time in Unix ms. Unless given: at the oldest line.
 */
export type SeriesStart = SeriesPosition | { readonly lastBytes: number } | { readonly writtenSinceMs: number };

/**
 * Read a series from the oldest line that is there, or from a position, to its newest line, and on when there is more. Files that
 * are put aside while they are read are read to their end.
 */
export function readSeries(series: Series, start?: SeriesStart): SeriesReader {
  let handle: FileHandle | undefined;
  let id = '';
  let isOver = false;
  let offset = 0;
  let isBehindGap = false;
  let isCut = false;

  async function use(next: Found, at: number): Promise<void> {
    await handle?.close();
    ({ handle, id } = next);
    offset = at;
  }

  async function begin(): Promise<boolean> {
    const files = await openAll(series);
    const chosen = choose(files, start);
    if (chosen === undefined) return false;
    ({ isBehindGap, isCut } = chosen);
    for (const file of files) if (file !== chosen.file) await file.handle.close();
    await use(chosen.file, chosen.offset);
    return true;
  }

  /** Go on with the file behind the one that was read; false when that is the newest still. */
  async function advance(): Promise<boolean> {
    if ((await idOf(series.file)) === id) return false;
    const files = await openAll(series);
    const at = files.findIndex((file) => file.id === id);
    const next = files[at + 1];
    for (const file of files) if (file !== next) await file.handle.close();
    if (next === undefined) return false;
    isBehindGap = at < 0;
    await use(next, 0);
    return true;
  }

  async function part(): Promise<SeriesPart | undefined> {
    if (handle === undefined) return undefined;
    const bytes = await wholeLines(handle, offset);
    if (bytes === undefined) return undefined;
    const found = { bytes, position: { file: id, offset }, isBehindGap };
    offset += bytes.length;
    isBehindGap = false;
    if (!isCut) return found;
    isCut = false;
    const from = bytes.indexOf(NEWLINE) + 1;
    const position = { file: id, offset: found.position.offset + from };
    return { ...found, bytes: bytes.subarray(from), position };
  }

  return {
    async read() {
      if (isOver || (handle === undefined && !(await begin()))) return undefined;
      for (;;) {
        const found = await part();
        if (found !== undefined) return found;
        if (!(await advance())) {
          // It may have been put aside, and written to before that, between the two looks.
          return part();
        }
      }
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      await handle?.close();
      handle = undefined;
    },
  };
}

interface Found {
  readonly handle: FileHandle;
  readonly id: string;
  readonly size: number;
  readonly writtenMs: number;
}

/** All files of the series that are there, oldest first. */
async function openAll({ file, oldFiles }: Series): Promise<readonly Found[]> {
  for (let tries = 0; ; tries++) {
    const newest = await idOf(file);
    const found: Found[] = [];
    for (let age = oldFiles; age >= 0; age--) {
      const one = await openOne(age === 0 ? file : `${file}.${age}`);
      if (one !== undefined) found.push(one);
    }
    // Put aside between two looks, a file could be seen under two names or under none.
    if (newest === (await idOf(file)) || tries === MAX_TRIES) return found;
    for (const { handle } of found) await handle.close();
  }
}

async function openOne(name: string): Promise<Found | undefined> {
  const handle = await open(name, 'r').catch(() => undefined);
  if (handle === undefined) return undefined;
  const stats = await handle.stat();
  return { handle, id: textOfId(stats), size: stats.size, writtenMs: stats.mtimeMs };
}

async function idOf(file: string): Promise<string> {
  const stats = await stat(file).catch(() => undefined);
  return stats === undefined ? '' : textOfId(stats);
}

function textOfId({ ino, birthtimeMs }: Stats): string {
  return `${ino}-${Math.floor(birthtimeMs)}`;
}

interface Chosen {
  readonly file: Found;
  readonly offset: number;
  readonly isBehindGap: boolean;
  /** The first line may be the end of one. */
  readonly isCut: boolean;
}

function choose(files: readonly Found[], start: SeriesStart | undefined): Chosen | undefined {
  const [oldest] = files;
  if (oldest === undefined) return undefined;
  const fromOldest = { file: oldest, offset: 0, isBehindGap: false, isCut: false };
  if (start === undefined) return fromOldest;
  if ('file' in start) {
    const file = files.find(({ id, size }) => id === start.file && size >= start.offset);
    if (file === undefined) return { ...fromOldest, isBehindGap: true };
    return { file, offset: start.offset, isBehindGap: false, isCut: false };
  }
  if ('writtenSinceMs' in start) {
    const file = files.find(({ writtenMs }) => writtenMs >= start.writtenSinceMs) ?? files.at(-1) ?? oldest;
    return { ...fromOldest, file };
  }
  let left = start.lastBytes;
  for (const file of files.toReversed()) {
    if (file.size > left) return { file, offset: file.size - left, isBehindGap: false, isCut: left > 0 };
    left -= file.size;
  }
  return fromOldest;
}

/** Lines from an offset on, at least one when there is a whole one. A line that is too long to be one of ours is passed over. */
async function wholeLines(handle: FileHandle, offset: number): Promise<Buffer | undefined> {
  for (let size = PART_BYTES; ; size *= 4) {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.allocUnsafe(size), position: offset });
    const end = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1;
    if (end > 0) return buffer.subarray(0, end);
    if (bytesRead < size) return undefined;
    if (size >= LINE_BYTES) return buffer;
  }
}
