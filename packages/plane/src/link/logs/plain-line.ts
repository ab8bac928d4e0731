/** A member to put into an object. */
export interface Member {
  readonly key: string;
  /** `"key":"value"`, as it is to be written. */
  readonly text: string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const CLOSE_BRACE = 0x7d;
/** Any integer of so many digits is a double and is written as it came. */
const EXACT_DIGITS = 15;

/** Bytes that are in a string as they will be written. */
const IS_PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x80 && !'"\\<>&'.includes(String.fromCharCode(byte)) ? 1 : 0,
);
/** What may follow a backslash and is written again with it. */
const IS_PLAIN_ESCAPE = Uint8Array.from({ length: 256 }, (_, byte) =>
  '"\\nrt'.includes(String.fromCharCode(byte)) ? 1 : 0,
);

/**
 * The short cut for the lines that Talos sends: one flat object without blanks whose keys are sorted and whose values, strings of
 * plain ASCII and integers, are written as they came. Nothing has to be decoded for it.
 *
 * @param members Sorted by key; put in their places.
 * @returns undefined for any other line.
 */
export function plainLine(bytes: Buffer, from: number, to: number, members: readonly Member[]): string | undefined {
  const starts = memberStarts(bytes, from, to);
  if (starts === undefined) return undefined;
  const text = bytes.toString('latin1', from, to);
  let out = '';
  let copied = 0;
  let next = 0;
  let lastKey = '';
  for (const start of starts) {
    const key = text.slice(start + 1, text.indexOf('"', start + 1));
    if (key <= lastKey) return undefined;
    lastKey = key;
    for (let member = members[next]; member !== undefined && member.key <= key; member = members[++next]) {
      if (member.key === key) return undefined;
      out += `${text.slice(copied, start)}${member.text},`;
      copied = start;
    }
  }
  if (next === members.length) return out === '' ? text : out + text.slice(copied);
  out += text.slice(copied, -1);
  for (let member = members[next]; member !== undefined; member = members[++next]) out += `,${member.text}`;
  return `${out}}`;
}

/** Where the members begin, as offsets, when the line is one plain object; looks no further than the object's end. */
function memberStarts(bytes: Buffer, from: number, to: number): readonly number[] | undefined {
  const starts: number[] = [];
  let at = from + 1;
  for (;;) {
    const keyEnd = bytes[at] === QUOTE ? endOfKey(bytes, at + 1, to) : -1;
    if (keyEnd < 0 || bytes[keyEnd] !== COLON) return undefined;
    starts.push(at - from);
    const end = endOfValue(bytes, keyEnd + 1, to);
    if (end < 0) return undefined;
    at = end + 1;
    if (bytes[end] === CLOSE_BRACE) return at === to ? starts : undefined;
    if (bytes[end] !== COMMA) return undefined;
  }
}

function endOfKey(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && IS_PLAIN[bytes[at] ?? 0] === 1) at += 1;
  return at < to && bytes[at] === QUOTE ? at + 1 : -1;
}

function endOfValue(bytes: Buffer, from: number, to: number): number {
  if (bytes[from] === QUOTE) return endOfString(bytes, from + 1, to);
  let at = from;
  while (at < to && isDigit(bytes[at] ?? 0)) at += 1;
  const digits = at - from;
  const isExact = digits === 1 || (digits > 1 && digits <= EXACT_DIGITS && bytes[from] !== 0x30);
  return isExact && at < to ? at : -1;
}

/** The index behind the closing quote; -1 when the string is not plain or does not end. */
function endOfString(bytes: Buffer, from: number, to: number): number {
  let at = from;
  for (;;) {
    while (at < to && IS_PLAIN[bytes[at] ?? 0] === 1) at += 1;
    if (at + 1 >= to) return -1;
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte !== BACKSLASH || IS_PLAIN_ESCAPE[bytes[at + 1] ?? 0] !== 1) return -1;
    at += 2;
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
