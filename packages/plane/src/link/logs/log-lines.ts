import type { SeriesPart } from './series-reader.ts';

/** One line that was kept, and how to go on behind it. */
export interface KeptLine {
  /** Orders lines of different machines: µs of receipt. 0 where it is not known. */
  readonly stamp: number;
  /** What `after` takes to go on with the next line. */
  readonly cursor: string;
  /** As upstream writes it, with its newline. */
  readonly bytes: Buffer;
}

const NEWLINE = 0x0a;
const BLANK = 0x20;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** Digits of a time in µs, until the year 2286. */
const STAMP_DIGITS = 16;

/** The lines of a part of a machine's file; what broke off in a crash is left out. */
export function linesOfMachine(part: SeriesPart): readonly KeptLine[] {
  return split(part, (line) => {
    if (line[STAMP_DIGITS] !== BLANK) return undefined;
    const cursor = line.toString('latin1', 0, STAMP_DIGITS);
    const bytes = line.subarray(STAMP_DIGITS + 1);
    return /^\d+$/.test(cursor) && isObject(bytes) ? { stamp: Number(cursor), cursor, bytes } : undefined;
  });
}

/** The lines of a part of the file of all machines. */
export function linesOfAll(part: SeriesPart): readonly KeptLine[] {
  const { file, offset } = part.position;
  return split(part, (bytes, end) => {
    return isObject(bytes) ? { stamp: 0, cursor: `${file}-${offset + end}`, bytes } : undefined;
  });
}

/** A cursor of `linesOfAll` as a position; undefined when it is none. */
export function positionOf(cursor: string): { readonly file: string; readonly offset: number } | undefined {
  const [, file, offset] = /^(\d{1,20}-\d{1,20})-(\d{1,15})$/.exec(cursor) ?? [];
  return file === undefined ? undefined : { file, offset: Number(offset) };
}

/** Milliseconds of the time that Talos put into a line, by the machine's clock; undefined when there is none. */
export function talosTimeMs(line: Buffer): number | undefined {
  const text = /"talos-time":"([^"]{10,40})"/.exec(line.toString('latin1'))?.[1];
  const atMs = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** Characters in which patterns are looked for. The kernel's messages have 8 KiB at most. */
const SEARCHED_MAX = 8192;

/** What a pattern is looked for in: the beginning of the message, or of the whole line where there is none. */
export function searchedText(line: Buffer): string {
  const text = line.toString('utf8');
  return (messageOf(text) ?? text).slice(0, SEARCHED_MAX);
}

function messageOf(text: string): string | undefined {
  try {
    const { msg } = JSON.parse(text);
    return typeof msg === 'string' ? msg : undefined;
  } catch {
    return undefined;
  }
}

function isObject(line: Buffer): boolean {
  return line[0] === OPEN_BRACE && line[line.length - 2] === CLOSE_BRACE;
}

function split({ bytes }: SeriesPart, read: (line: Buffer, end: number) => KeptLine | undefined): readonly KeptLine[] {
  const lines: KeptLine[] = [];
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline + 1;
    const line = read(bytes.subarray(at, end), end);
    if (line !== undefined) lines.push(line);
    at = end;
  }
  return lines;
}
