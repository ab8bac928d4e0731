import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC_LITTLE_ENDIAN = 0x377f0682;
const MAGIC_BIG_ENDIAN = 0x377f0683;

/** What a write-ahead log looks like before SQLite opens it. */
export interface WalReport {
  /** The header cannot be a header of SQLite. */
  readonly isHeaderBad: boolean;
  /** Frames with the salts of the header and a right checksum, from the start on. */
  readonly validFrames: number;
  /** Frames behind the first bad one that carry the salts of the header, and how many of them end a commit. */
  readonly orphans: number;
  readonly orphanCommits: number;
}

/**
 * Read a write-ahead log as SQLite does at a start: it ends at the first frame whose salts or checksum are wrong. A process that
 * died leaves at most frames of one unfinished commit behind that point. Two ends of commits there prove damage: the second of
 * them was written only after everything before it was flushed.
 *
 * Reads one frame at a time. @see sqlite.org/fileformat2.html section 4
 */
export function inspectWal(file: string): WalReport {
  const handle = openSync(file, 'r');
  try {
    const { size } = fstatSync(handle);
    const header = Buffer.alloc(HEADER_BYTES);
    if (size < HEADER_BYTES) return { isHeaderBad: false, validFrames: 0, orphans: 0, orphanCommits: 0 };
    readSync(handle, header, 0, HEADER_BYTES, 0);
    const start = readHeader(header);
    if (start === undefined) return { isHeaderBad: true, validFrames: 0, orphans: 0, orphanCommits: 0 };
    return inspectFrames(handle, size, header, start);
  } finally {
    closeSync(handle);
  }
}

interface WalStart {
  readonly isLittleEndian: boolean;
  readonly pageBytes: number;
  readonly sum: WalSum;
}

/** The running checksum: two 32-bit words. */
type WalSum = readonly [number, number];

function readHeader(header: Buffer): WalStart | undefined {
  const magic = header.readUInt32BE(0);
  if (magic !== MAGIC_LITTLE_ENDIAN && magic !== MAGIC_BIG_ENDIAN) return undefined;
  const isLittleEndian = magic === MAGIC_LITTLE_ENDIAN;
  const sum = addToSum([0, 0], header.subarray(0, 24), isLittleEndian);
  if (sum[0] !== header.readUInt32BE(24) || sum[1] !== header.readUInt32BE(28)) return undefined;
  const pageBytes = header.readUInt32BE(8);
  const isPageSize = pageBytes >= 512 && pageBytes <= 65_536 && (pageBytes & (pageBytes - 1)) === 0;
  return isPageSize ? { isLittleEndian, pageBytes, sum } : undefined;
}

function inspectFrames(handle: number, size: number, header: Buffer, start: WalStart): WalReport {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + start.pageBytes);
  let { sum } = start;
  let validFrames = 0;
  let orphans = 0;
  let orphanCommits = 0;
  let isWhole = true;
  for (let at = HEADER_BYTES; at + frame.length <= size; at += frame.length) {
    readSync(handle, frame, 0, frame.length, at);
    const hasSalts = frame.compare(header, 16, 24, 8, 16) === 0;
    if (isWhole) {
      const next = addToSum(
        addToSum(sum, frame.subarray(0, 8), start.isLittleEndian),
        frame.subarray(24),
        start.isLittleEndian,
      );
      isWhole = hasSalts && next[0] === frame.readUInt32BE(16) && next[1] === frame.readUInt32BE(20);
      if (isWhole) {
        sum = next;
        validFrames += 1;
        continue;
      }
    }
    if (!hasSalts) continue;
    orphans += 1;
    if (frame.readUInt32BE(4) !== 0) orphanCommits += 1;
  }
  return { isHeaderBad: false, validFrames, orphans, orphanCommits };
}

function addToSum([first, second]: WalSum, bytes: Buffer, isLittleEndian: boolean): WalSum {
  let a = first;
  let b = second;
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    const x = isLittleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
    const y = isLittleEndian ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at + 4);
    a = (a + x + b) >>> 0;
    b = (b + y + a) >>> 0;
  }
  return [a, b];
}
