import { isJsonObject, type Json, parseJson, type Schema, stringifyJson } from '@bloomery/model';
import { ownMember } from '../schema/field-path.ts';
import { goNumber, goQuote } from '../schema/go-text.ts';

/** The element of a map member, as FieldsV1 writes it. */
export function memberElement(name: string): string {
  return `f:${name}`;
}

/** The member name of an element, or undefined when it names a list item. */
export function memberOf(element: string): string | undefined {
  return element.startsWith('f:') ? element.slice(2) : undefined;
}

/** The element of a set item. */
export function valueElement(value: Json): string {
  return `v:${stringifyJson(value)}`;
}

/**
 * The element of a list-map item: its key members, sorted; absent ones take their default.
 *
 * @returns the name of a key as `missing` when all keys are missing and have no defaults.
 */
export function keyElement(
  item: Json,
  keys: readonly string[],
  items: Schema,
): { readonly element: string } | { readonly missing: string } {
  const members: [string, Json][] = [];
  for (const key of keys.toSorted()) {
    const value = (isJsonObject(item) ? ownMember(item, key) : undefined) ?? ownMember(items.properties, key)?.default;
    if (value !== undefined) members.push([key, value]);
  }
  // One key that is there tells items apart; validation asks for the others.
  if (members.length === 0) return { missing: keys[0] ?? '' };
  return { element: `k:${stringifyJson(Object.fromEntries(members))}` };
}

/** A path as messages show it: `.spec.ports[name="h"].port`, `.spec.tags[="x"]`. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join('');
}

/** One element as messages show it. */
export function elementText(element: string): string {
  const body = element.slice(2);
  switch (element.slice(0, 2)) {
    case 'f:':
      return `.${body}`;
    case 'v:':
      return `[=${scalarText(parsed(body))}]`;
    case 'k:': {
      const keys = parsed(body);
      const parts = isJsonObject(keys) ? Object.entries(keys) : [];
      return `[${parts.map(([key, value]) => `${key}=${scalarText(value ?? null)}`).join(',')}]`;
    }
    default:
      return `[${body}]`;
  }
}

function parsed(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    // Elements of stored entries were checked when they were read; anything else is shown as it is.
    return text;
  }
}

function scalarText(value: Json): string {
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'number' || typeof value === 'bigint') return goNumber(value);
  return stringifyJson(value);
}

/** Whether a text is a path element that can be stored. */
export function isPathElement(element: string): boolean {
  if (element.startsWith('f:')) return true;
  if (element.startsWith('i:')) return /^i:-?\d+$/.test(element);
  if (!element.startsWith('k:') && !element.startsWith('v:')) return false;
  try {
    const value: Json = parseJson(element.slice(2));
    return element.startsWith('v:') || isJsonObject(value);
  } catch {
    return false;
  }
}
