import { stringifyJson } from '@bloomery/model';
import type { ApiObject } from './api-object.ts';

/** Characters of JSON text kept for objects that were just written; up to twice as many stand in memory. */
const KEPT_CHARACTERS = 2 * 1024 * 1024;

interface Generation {
  readonly texts: Map<ApiObject, string>;
  characters: number;
}

const emptyGeneration = (): Generation => ({ texts: new Map(), characters: 0 });
let young = emptyGeneration();
let old = emptyGeneration();

/**
 * JSON text of an object that was just made, kept for a while: the disk, the answer and the watches get the same text.
 *
 * @param object frozen.
 */
export function writtenText(object: ApiObject): string {
  const text = objectText(object);
  if (young.characters > KEPT_CHARACTERS) {
    old = young;
    young = emptyGeneration();
  }
  young.texts.set(object, text);
  young.characters += text.length;
  return text;
}

/**
 * JSON text of a frozen object. Not kept: held for all objects it would double the memory of the store, and making it again takes
 * a few microseconds.
 */
export function objectText(object: ApiObject): string {
  return young.texts.get(object) ?? old.texts.get(object) ?? stringifyJson(object);
}
