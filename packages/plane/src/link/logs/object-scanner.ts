import { createHeldBytes, type HoldBytes } from '@bloomery/wire';
import { JsonSyntax, UNFINISHED } from './json-syntax.ts';

/** Largest object of a stream. */
export const MAX_OBJECT_BYTES = 1024 * 1024;

/** Why something of a stream was dropped: it is no JSON object, an object that is too large, or one that broke off. */
export type DropReason = 'malformed' | 'too_large' | 'incomplete' | 'no_memory';

/** Who gets what a scanner finds. */
export interface ScannerSink {
  /** A whole JSON object, without what surrounds it. The bytes are valid during the call only. */
  object(bytes: Buffer): void;
  dropped(reason: DropReason): void;
  /**
   * Asked first for each line: whether it was taken as exactly one object. A short cut for the usual line; the answer must be
   * what `object` would have led to.
   */
  line?(bytes: Buffer, from: number, to: number): boolean;
  /** About objects that are not complete; one whose memory is refused is dropped. */
  readonly hold?: HoldBytes;
}

/** Finds the JSON objects in a stream of bytes. */
export interface ObjectScanner {
  /** Take the next bytes; any cut gives the same objects. */
  push(chunk: Buffer): void;
  /** The stream has ended, or nothing more of it is wanted. */
  end(): void;
}

const NEWLINE = 0x0a;
const OPEN_BRACE = 0x7b;

/**
 * Make the scanner of one stream of JSON objects. Newlines between objects are optional, within them allowed. At the first byte
 * that cannot be in an object, and in front of anything that is none, everything up to the next newline is dropped and the stream
 * goes on. An object of more than `maxBytes` is dropped in the same way. Each byte is looked at once.
 */
export function createObjectScanner(sink: ScannerSink, maxBytes = MAX_OBJECT_BYTES): ObjectScanner {
  const syntax = new JsonSyntax();
  const held = createHeldBytes((byBytes) => sink.hold?.(byBytes) ?? true, maxBytes);
  let mode: 'between' | 'object' | 'skip' = 'between';
  /** Of this chunk, from where it was last looked for: a chunk may hold many objects and no newline. */
  let newline = -1;

  const nextNewline = (chunk: Buffer, at: number): number => {
    if (newline < at) {
      const found = chunk.indexOf(NEWLINE, at);
      newline = found < 0 ? chunk.length : found;
    }
    return newline;
  };

  /** Everything up to the newline at or behind `at` is lost. */
  function skip(reason: DropReason, at: number): number {
    held.clear();
    mode = 'skip';
    sink.dropped(reason);
    return at;
  }

  function beginLine(chunk: Buffer, at: number): number {
    const byte = chunk[at] ?? 0;
    if (byte === 0x20 || byte === NEWLINE || byte === 0x0d || byte === 0x09) return at + 1;
    if (byte !== OPEN_BRACE) return skip('malformed', at);
    const end = nextNewline(chunk, at);
    if (end < chunk.length && end - at <= maxBytes && sink.line?.(chunk, at, end) === true) return end + 1;
    mode = 'object';
    syntax.reset();
    return at;
  }

  function readObject(chunk: Buffer, from: number): number {
    const to = Math.min(chunk.length, from + maxBytes - held.size);
    const end = syntax.read(chunk, from, to);
    if (end === undefined) return skip('malformed', syntax.badAt);
    if (end !== UNFINISHED) {
      mode = 'between';
      sink.object(held.takeWith(chunk.subarray(from, end)));
      return end;
    }
    if (held.size + (to - from) >= maxBytes) return skip('too_large', to);
    return held.add(chunk.subarray(from, to)) ? to : skip('no_memory', to);
  }

  return {
    push(chunk) {
      let at = 0;
      newline = -1;
      while (at < chunk.length) {
        if (mode === 'object') at = readObject(chunk, at);
        else if (mode === 'between') at = beginLine(chunk, at);
        else {
          at = nextNewline(chunk, at) + 1;
          if (at <= chunk.length) mode = 'between';
        }
      }
    },
    end() {
      if (mode === 'object') sink.dropped('incomplete');
      held.clear();
      mode = 'skip';
    },
  };
}
