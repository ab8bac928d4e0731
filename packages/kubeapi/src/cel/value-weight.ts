import { isJsonObject, type Json } from '@bloomery/model';
import { TypedObject } from './typed-value.ts';

/** What is smaller than this costs nothing beside the step that looks at it: most values of most rules. */
const SMALL_TEXT = 64;
const SMALL_PARTS = 8;
const UNIT_CHARACTERS = 16;
const UNIT_PARTS = 4;

/** What looking at a text or at bytes once costs, in units of a WorkBudget; 0 for all other values. */
export function textWeight(value: unknown): number {
  const length = typeof value === 'string' || value instanceof Uint8Array ? value.length : 0;
  return length <= SMALL_TEXT ? 0 : length / UNIT_CHARACTERS;
}

/** What looking at a value to its leaves costs, as comparing does, in units of a WorkBudget. */
export function wholeWeight(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return textWeight(value);
  const parts = partsOf(value);
  return parts <= SMALL_PARTS ? 0 : parts / UNIT_PARTS;
}

/** What `in` costs for one of its operands: a list is looked through, a map is not. */
export function searchWeight(value: unknown): number {
  return value instanceof Map ? 0 : wholeWeight(value);
}

/** Values of an evaluation do not change: each is counted once. */
const counted = new WeakMap<object, number>();

function partsOf(value: object): number {
  const known = counted.get(value);
  if (known !== undefined) return known;
  let parts = 1;
  if (value instanceof TypedObject) parts = jsonParts(value.raw);
  else if (Array.isArray(value)) for (const item of value) parts += anyParts(item);
  else if (value instanceof Map) for (const [key, item] of value) parts += anyParts(key) + anyParts(item);
  counted.set(value, parts);
  return parts;
}

function anyParts(value: unknown): number {
  return typeof value === 'object' && value !== null ? partsOf(value) : 1 + textWeight(value);
}

/** Members that rules have not asked for yet are there as JSON only. */
function jsonParts(value: Json | undefined): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item: Json) => sum + jsonParts(item), 1);
  if (isJsonObject(value)) return Object.values(value).reduce<number>((sum, member) => sum + 1 + jsonParts(member), 1);
  return 1 + textWeight(value);
}
