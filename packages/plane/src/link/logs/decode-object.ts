import { isAscii, isUtf8 } from 'node:buffer';
import type { Json, JsonObject } from '@bloomery/model';

/**
 * Read one JSON object as Go's encoding/json does: bytes that are no UTF-8 become U+FFFD one by one, and so do halves of
 * surrogate pairs; of keys that are there twice the last counts; numbers are doubles.
 *
 * @param bytes A whole object, as the scanner found it.
 * @returns undefined when it holds a number that no double can hold: Go refuses it, too.
 */
export function decodeObject(bytes: Buffer): JsonObject | undefined {
  const text = textOf(bytes);
  const value = parse(text);
  if (value === undefined || value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  const object = text.includes('\\u') ? wellFormed(value) : value;
  return hasOnlyNumbers(object, text) ? (object as JsonObject) : undefined;
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function textOf(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1');
  return (isUtf8(bytes) ? bytes : repaired(bytes)).toString('utf8');
}

const REPLACEMENT = [0xef, 0xbf, 0xbd] as const;

/** The same bytes as UTF-8: each byte that is part of no character is replaced on its own, not each run of them. */
function repaired(bytes: Buffer): Buffer {
  const out = Buffer.alloc(bytes.length * 3);
  let size = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at);
    out.set(length === 0 ? REPLACEMENT : bytes.subarray(at, at + length), size);
    size += length === 0 ? REPLACEMENT.length : length;
    at += length === 0 ? 1 : length;
  }
  return out.subarray(0, size);
}

/** Bytes of the UTF-8 character at an index; 0 when there is none. @see RFC 3629 section 4 */
function characterLength(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  return isUtf8(bytes.subarray(at, at + length)) && at + length <= bytes.length ? length : 0;
}

/** Halves of surrogate pairs can only come from escapes. */
function wellFormed(value: Json): Json {
  if (typeof value === 'string') return value.toWellFormed();
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(wellFormed);
  return Object.fromEntries(Object.entries(value).map(([key, one = null]) => [key.toWellFormed(), wellFormed(one)]));
}

/** Only an exponent makes a number too large, or more digits than a log line ever has. */
function hasOnlyNumbers(value: Json, text: string): boolean {
  return !/\d[eE]|\d{300}/.test(text) || isFiniteThroughout(value);
}

function isFiniteThroughout(value: Json): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (value === null || typeof value !== 'object') return true;
  return Object.values(value).every((one) => isFiniteThroughout(one ?? null));
}
