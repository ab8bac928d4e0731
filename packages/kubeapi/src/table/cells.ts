import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { listAt, textAt } from '../json-parts.ts';
import { ownMember } from '../schema/field-path.ts';
import { ageText } from './age.ts';

/** A column of a built-in kind: the cell is computed, not looked up by a path. */
export interface ComputedColumn {
  readonly name: string;
  readonly of: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly wide?: boolean;
  readonly description?: string;
  /** `name` for the column that holds the name. */
  readonly format?: string;
  readonly cell: (object: JsonObject, nowMs: number) => Json;
}

/** Shown for what is not there. */
export const NONE = '<none>';
/** Shown for what is not set and has a meaning unset. */
export const UNSET = '<unset>';

/** The value below these names; undefined where there is none, or null. */
export function at(object: Json | undefined, ...path: readonly string[]): Json | undefined {
  let value = object;
  for (const name of path) value = isJsonObject(value) ? ownMember(value, name) : undefined;
  return value ?? undefined;
}

/** The value when it is a text. */
export function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The number below these names; 0 where there is none. */
export function countOf(object: Json | undefined, ...path: readonly string[]): number {
  const value = at(object, ...path);
  return typeof value === 'number' ? value : 0;
}

/** How many members or items a value has. */
export function size(value: Json | undefined): number {
  return isJsonObject(value) || Array.isArray(value) ? Object.keys(value).length : 0;
}

/** A column that shows the text at a path, or `absent`. */
export function textColumn(name: string, path: readonly string[], absent = ''): ComputedColumn {
  return { name, of: 'string', cell: (object) => textAt(object, ...path) || absent };
}

/** A column that shows the number at a path. */
export function countColumn(
  name: string,
  path: readonly string[],
  of: ComputedColumn['of'] = 'integer',
): ComputedColumn {
  return { name, of, cell: (object) => countOf(object, ...path) };
}

/** A column that is computed as a text. */
export function column(name: string, cell: ComputedColumn['cell']): ComputedColumn {
  return { name, of: 'string', cell };
}

/** The column, shown only with `-o wide`. */
export function wide(shown: ComputedColumn): ComputedColumn {
  return { ...shown, wide: true };
}

/** How long the object exists. */
export const AGE_COLUMN: ComputedColumn = column('Age', (object, nowMs) =>
  ageText(text(at(object, 'metadata', 'creationTimestamp')), nowMs),
);

/** When the object was made. */
export const CREATED_COLUMN: ComputedColumn = {
  name: 'Created At',
  of: 'date',
  cell: (object) => text(at(object, 'metadata', 'creationTimestamp')) ?? null,
};

/** Labels as `a=b,c=d`, sorted; `<none>` when there are none. */
export function labelsText(labels: Json | undefined): string {
  const members = isJsonObject(labels) ? Object.entries(labels) : [];
  return (
    members
      .map(([key, value]) => `${key}=${String(value)}`)
      .sort()
      .join(',') || NONE
  );
}

/** A label selector as `a=b,c in (d,e)`; `<none>` when it selects nothing in particular. */
export function selectorText(selector: Json | undefined): string {
  const labels = labelsText(at(selector, 'matchLabels'));
  const expressions = listAt(selector, 'matchExpressions').map((one) => {
    const key = textAt(one, 'key');
    const values = `(${listAt(one, 'values').map(String).join(',')})`;
    const operator = textAt(one, 'operator');
    if (operator === 'In') return `${key} in ${values}`;
    if (operator === 'NotIn') return `${key} notin ${values}`;
    return operator === 'DoesNotExist' ? `!${key}` : key;
  });
  return [...(labels === NONE ? [] : [labels]), ...expressions].join(',') || NONE;
}
