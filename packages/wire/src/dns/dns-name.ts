/** A name on the wire has at most 255 bytes with its length bytes (RFC 1035 section 2.3.4). */
const NAME_MAX_BYTES = 255;
const LABEL_MAX_BYTES = 63;
/** Longest chain of compression pointers that is followed: more than any name of 127 labels needs. */
const POINTERS_MAX = 128;

/** A name as text, and where the bytes after it begin. */
export interface DnsName {
  /** Without the last dot; empty for the root. Dots and backslashes inside labels are escaped (`\.`), other bytes as `\DDD`. */
  readonly name: string;
  readonly next: number;
}

/**
 * Read a name that may be compressed. Pointers must go backwards, so no loop is possible.
 *
 * @returns undefined when it runs over the end, is too long, or points forwards.
 * @see RFC 1035 sections 3.1 and 4.1.4
 */
export function readDnsName(message: Uint8Array, start: number): DnsName | undefined {
  const labels: string[] = [];
  let at = start;
  let next = -1;
  let total = 1;
  for (let pointers = 0; pointers <= POINTERS_MAX; ) {
    const length = message[at];
    if (length === undefined) return undefined;
    if (length === 0) return { name: labels.join('.'), next: next < 0 ? at + 1 : next };
    if (length >= 0xc0) {
      const low = message[at + 1];
      if (low === undefined) return undefined;
      const target = ((length & 0x3f) << 8) | low;
      if (target >= at) return undefined;
      if (next < 0) next = at + 2;
      at = target;
      pointers += 1;
      continue;
    }
    total += length + 1;
    if (length > LABEL_MAX_BYTES || total > NAME_MAX_BYTES || at + 1 + length > message.byteLength) return undefined;
    labels.push(labelText(message, at + 1, length));
    at += 1 + length;
  }
  return undefined;
}

/**
 * Where the bytes after the name begin, without reading what pointers point at; -1 when it runs over the end, is no name, or points at
 * itself or forwards.
 */
export function skipDnsName(message: Uint8Array, start: number): number {
  let at = start;
  while (at - start <= NAME_MAX_BYTES) {
    const length = message[at];
    if (length === undefined) return -1;
    if (length === 0) return at + 1;
    if (length >= 0xc0) {
      const low = message[at + 1];
      return low !== undefined && (((length & 0x3f) << 8) | low) < at ? at + 2 : -1;
    }
    if (length > LABEL_MAX_BYTES) return -1;
    at += 1 + length;
  }
  return -1;
}

/**
 * The wire form without compression of a name as `readDnsName` gives it; a last dot is allowed.
 *
 * @returns undefined when a label is empty or longer than 63 bytes, an escape is wrong, or the name exceeds 255 bytes.
 */
export function encodeDnsName(name: string): Uint8Array | undefined {
  if (name === '' || name === '.') return new Uint8Array(1);
  if (name.length > 4 * NAME_MAX_BYTES) return undefined;
  const out: number[] = [];
  let label: number[] = [];
  const source = Buffer.from(name, 'utf8');
  for (let at = 0; at < source.byteLength; at++) {
    const byte = source[at] ?? 0;
    if (byte === DOT) {
      if (!endLabel(out, label)) return undefined;
      label = [];
    } else if (byte === BACKSLASH) {
      const escaped = readEscape(source, at + 1);
      if (escaped === undefined) return undefined;
      label.push(escaped.byte);
      at = escaped.last;
    } else {
      label.push(byte);
    }
  }
  if (label.length > 0 && !endLabel(out, label)) return undefined;
  out.push(0);
  return out.length > NAME_MAX_BYTES ? undefined : Uint8Array.from(out);
}

const DOT = 0x2e;
const BACKSLASH = 0x5c;

function endLabel(out: number[], label: readonly number[]): boolean {
  if (label.length === 0 || label.length > LABEL_MAX_BYTES) return false;
  out.push(label.length, ...label);
  return true;
}

function readEscape(source: Uint8Array, at: number): { readonly byte: number; readonly last: number } | undefined {
  const first = source[at];
  if (first === undefined) return undefined;
  if (first < 0x30 || first > 0x39) return { byte: first, last: at };
  const digits = Buffer.from(source.subarray(at, at + 3)).toString('latin1');
  const byte = /^\d{3}$/.test(digits) ? Number(digits) : 256;
  return byte > 255 ? undefined : { byte, last: at + 2 };
}

function labelText(message: Uint8Array, at: number, length: number): string {
  let text = '';
  for (let i = at; i < at + length; i++) {
    const byte = message[i] ?? 0;
    if (byte === DOT || byte === BACKSLASH) text += `\\${String.fromCharCode(byte)}`;
    else if (byte > 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\${String(byte).padStart(3, '0')}`;
  }
  return text;
}
