import { isJsonObject, type Json } from '@bloomery/model';

/** More repeated fields than this are not named. */
const MAX_NAMED = 100;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What a look at JSON text tells before it is parsed. */
export interface JsonOutline {
  readonly depth: number;
  /** Members of all objects together, those given twice counted twice. */
  readonly members: number;
}

/** Look at JSON text once, without parsing it; stops when it nests deeper than the limit. Anything is taken for JSON. */
export function outlineJson(text: string, depthLimit: number): JsonOutline {
  let [depth, deepest, members] = [0, 0, 0];
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(text, i);
        break;
      case 0x3a:
        members += 1;
        break;
      case 0x7b:
      case 0x5b:
        depth += 1;
        if (depth > deepest) deepest = depth;
        if (depth > depthLimit) return { depth, members };
        break;
      case 0x7d:
      case 0x5d:
        depth -= 1;
        break;
    }
  }
  return { depth: deepest, members };
}

/** Position of the quote that ends the string which begins here, or of the text's end. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) return i;
    if (c === BACKSLASH) i += 1;
  }
  return text.length;
}

/** Members of all objects in a value. A parsed text has fewer than its outline when a field was given twice. */
export function countMembers(value: Json): number {
  let count = 0;
  if (Array.isArray(value)) for (const item of value) count += countMembers(item);
  else if (isJsonObject(value)) {
    for (const name in value) {
      if (!Object.hasOwn(value, name)) continue;
      count += 1 + countMembers(value[name] ?? null);
    }
  }
  return count;
}

interface Frame {
  readonly path: string;
  /** Names so far; undefined for a list. */
  readonly names: Set<string> | undefined;
  /** Path of the member or item that is being read. */
  at: string;
  index: number;
}

/**
 * Paths of the fields that JSON text gives more than once, in the order in which they come again: `spec.size`,
 * `spec.ports[0].name`. At most 100.
 *
 * @param text valid JSON of a bounded depth.
 */
export function repeatedFields(text: string): readonly string[] {
  const found = new Set<string>();
  const frames: Frame[] = [];
  for (let i = 0; i < text.length && found.size < MAX_NAMED; i++) {
    const c = text.charCodeAt(i);
    const frame = frames.at(-1);
    if (c === QUOTE) {
      const end = endOfString(text, i);
      if (frame?.names !== undefined && isName(text, end + 1)) readName(frame, text.slice(i, end + 1), found);
      i = end;
    } else if (c === 0x7b || c === 0x5b) frames.push(frameOf(frame, c === 0x7b));
    else if (c === 0x7d || c === 0x5d) frames.pop();
    else if (c === 0x2c && frame !== undefined && frame.names === undefined) {
      frame.index += 1;
      frame.at = `${frame.path}[${frame.index}]`;
    }
  }
  return [...found];
}

function frameOf(parent: Frame | undefined, isObject: boolean): Frame {
  const path = parent?.at ?? '';
  return { path, names: isObject ? new Set() : undefined, at: isObject ? path : `${path}[0]`, index: 0 };
}

function isName(text: string, after: number): boolean {
  for (let i = after; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x3a) return true;
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return false;
  }
  return false;
}

function readName(frame: Frame, quoted: string, found: Set<string>): void {
  const name: unknown = JSON.parse(quoted);
  if (typeof name !== 'string') return;
  frame.at = frame.path === '' ? name : `${frame.path}.${name}`;
  if (frame.names?.has(name) === true) found.add(frame.at);
  frame.names?.add(name);
}
