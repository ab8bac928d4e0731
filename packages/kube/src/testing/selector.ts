import type { Json, KubeObject } from '@bloomery/model';
import { isJsonObject } from '@bloomery/model';
import { apiError } from '../api-error.ts';

/** Decides whether an object is selected. */
export type Matcher = (object: KubeObject) => boolean;

const KEY = '[A-Za-z0-9][A-Za-z0-9._/-]{0,316}';
const SET = new RegExp(`^(${KEY}) +(in|notin) *\\(([^()]*)\\)$`);
const COMPARE = new RegExp(`^(${KEY}) *(==|=|!=) *([A-Za-z0-9._-]*)$`);
const EXISTS = new RegExp(`^(!?) *(${KEY})$`);

function refuse(text: string): Error {
  return apiError({ code: 400, reason: 'BadRequest', message: `unable to parse requirement: ${text}` });
}

function splitOutsideParentheses(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (c === '(') depth++;
    if (c === ')') depth--;
    if (i === text.length || (c === ',' && depth === 0)) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  return parts.filter((part) => part !== '');
}

type Labels = Readonly<Record<string, string>>;

function labelRequirement(text: string): (labels: Labels) => boolean {
  const set = SET.exec(text);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    return operator === 'in'
      ? (labels) => labels[key] !== undefined && values.has(labels[key])
      : (labels) => labels[key] === undefined || !values.has(labels[key]);
  }
  const compare = COMPARE.exec(text);
  if (compare !== null) {
    const [, key = '', operator, value = ''] = compare;
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const exists = EXISTS.exec(text);
  if (exists === null) throw refuse(text);
  const [, not, key = ''] = exists;
  return not === '!' ? (labels) => labels[key] === undefined : (labels) => labels[key] !== undefined;
}

function valueAt(object: KubeObject, path: string): Json | undefined {
  let value: Json | undefined = object as unknown as Json;
  for (const name of path.split('.')) {
    if (!isJsonObject(value)) return undefined;
    value = value[name];
  }
  return value;
}

function fieldRequirement(text: string): Matcher {
  const match = /^([A-Za-z0-9_.]{1,200}) *(==|=|!=) *(.*)$/.exec(text);
  if (match === null) throw refuse(text);
  const [, path = '', operator, value = ''] = match;
  return (object) => {
    const have = valueAt(object, path);
    return (String(have ?? '') === value) === (operator !== '!=');
  };
}

/**
 * Compile Kubernetes label and field selector texts (`a=b,c!=d,e in (f,g),!h`; fields: `=`, `==`, `!=`).
 * @throws BLM_API_BAD_REQUEST when a requirement cannot be parsed.
 */
export function compileSelectors(labels: string | undefined, fields: string | undefined): Matcher {
  const byLabel = splitOutsideParentheses(labels ?? '').map(labelRequirement);
  const byField = splitOutsideParentheses(fields ?? '').map(fieldRequirement);
  return (object) => {
    const have = object.metadata.labels ?? {};
    return byLabel.every((matches) => matches(have)) && byField.every((matches) => matches(object));
  };
}
