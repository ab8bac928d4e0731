import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { ownMember } from '../schema/field-path.ts';
import { MAX_SELECTOR_LENGTH, type ParsedSelector } from './selector-error.ts';

/** One condition of a field selector. */
export interface FieldRequirement {
  /** Dotted path without the leading dot: `metadata.name`. */
  readonly field: string;
  readonly value: string;
  readonly negated: boolean;
}

/** All conditions must hold; an empty list matches everything. */
export type FieldSelector = readonly FieldRequirement[];

/**
 * Parse a field selector: `a.b=c`, `a.b==c`, `a.b!=c`, joined by commas; `\,`, `\=` and `\\` stand for themselves.
 *
 * @param text at most 64 KiB; '' selects everything.
 * @param allowed the fields of this resource beside metadata.name and metadata.namespace; a leading dot is allowed.
 * @param builtin a kind of Kubernetes itself: where it offers no further field, the refusal says so in other words.
 */
export function parseFieldSelector(
  text: string,
  allowed: readonly string[],
  builtin = false,
): ParsedSelector<FieldSelector> {
  if (text.length > MAX_SELECTOR_LENGTH) return { ok: false, message: 'the field selector is too long' };
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text)) {
    if (term === '') continue;
    const requirement = parseTerm(term);
    if (requirement === undefined) {
      return { ok: false, message: `invalid selector: '${text}'; can't understand '${term}'` };
    }
    const { field } = requirement;
    if (
      field !== 'metadata.name' &&
      field !== 'metadata.namespace' &&
      !allowed.includes(field) &&
      !allowed.includes(`.${field}`)
    ) {
      if (!builtin || allowed.length > 0) return { ok: false, message: `field label not supported: ${field}` };
      const known = 'only "metadata.name", "metadata.namespace"';
      return { ok: false, message: `${JSON.stringify(field)} is not a known field selector: ${known}` };
    }
    requirements.push(requirement);
  }
  return { ok: true, selector: requirements };
}

/** Whether an object satisfies all conditions. An absent field counts as the empty text. */
export function matchesFields(selector: FieldSelector, object: JsonObject): boolean {
  return selector.every(({ field, value, negated }) => (fieldText(object, field) === value) !== negated);
}

/** The value that a conjunction demands for a field, if it does: lets a store look up one object instead of all. */
export function demandedValue(selector: FieldSelector, field: string): string | undefined {
  return selector.find((requirement) => requirement.field === field && !requirement.negated)?.value;
}

/** A field as text: numbers and booleans are printed, objects, lists and absent fields are ''. */
function fieldText(object: JsonObject, field: string): string {
  let value: Json | undefined = object;
  for (const name of field.split('.')) value = isJsonObject(value) ? ownMember(value, name) : undefined;
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value);
}

function splitTerms(text: string): readonly string[] {
  return text.match(/(?:\\.|[^\\,])+|,/gs)?.filter((term) => term !== ',') ?? [];
}

function parseTerm(term: string): FieldRequirement | undefined {
  const [, field = '', operator, value = ''] = /^([^=!\\]*)(==|!=|=)((?:\\.|[^\\=])*)$/s.exec(term) ?? [];
  if (operator === undefined) return undefined;
  if (/\\[^\\,=]/.test(value)) return undefined;
  return { field: field.trim(), value: value.replace(/\\(.)/gs, '$1'), negated: operator === '!=' };
}
