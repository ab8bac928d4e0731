import type { schema } from '@bloomery/model';
import { memberPath, ownMember } from '../field-path.ts';

/**
 * Where a rule's `fieldPath` leads: `.spec.size`, `.map['key']`.
 *
 * @param at path of the value that the rule judges.
 * @returns undefined when it is no path, or leads to a field that the schema does not have.
 */
export function ruleFieldPath(schema: schema.Schema, fieldPath: string, at: string): string | undefined {
  let rest = fieldPath;
  let path = at;
  let here: schema.Schema | undefined = schema;
  if (rest === '') return undefined;
  while (rest !== '') {
    const match: RegExpExecArray | null = /^(?:\.([A-Za-z_][\w-]*)|\['((?:[^'\\]|\\.)*)'\])/.exec(rest);
    if (match === null || here === undefined) return undefined;
    const name: string = match[1] ?? (match[2] ?? '').replace(/\\(.)/g, '$1');
    const property: schema.Schema | undefined = ownMember(here.properties, name);
    const values: schema.Schema | undefined =
      typeof here.additionalProperties === 'object' ? here.additionalProperties : undefined;
    here = property ?? values;
    if (here === undefined) return undefined;
    path = property === undefined ? `${path}[${name}]` : memberPath(path, name);
    rest = rest.slice(match[0].length);
  }
  return path;
}
