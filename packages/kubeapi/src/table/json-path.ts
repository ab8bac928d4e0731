import { isJsonObject, type Json, jsonEqual } from '@bloomery/model';
import { ownMember } from '../schema/field-path.ts';

/** Paths longer than this are refused. */
const MAX_PATH_LENGTH = 4096;
/** A path never yields more values than this. */
const MAX_RESULTS = 10_000;

type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

type Step =
  | { readonly do: 'member'; readonly name: string }
  | { readonly do: 'index'; readonly index: number }
  | { readonly do: 'slice'; readonly from: number | undefined; readonly to: number | undefined }
  | { readonly do: 'all' }
  | { readonly do: 'filter'; readonly left: readonly Step[]; readonly compare?: Comparison; readonly right?: Operand };

type Operand = { readonly value: Json } | { readonly path: readonly Step[] };

/** A parsed Kubernetes JSONPath. */
export type JsonPath = readonly Step[];

/**
 * Parse the JSONPath subset of printer columns and selectable fields: `.a.b`, `['x']`, `[0]`, `[-1]`, `[1:3]`, `[*]`, `.*`,
 * filters `[?(@.type=="Ready")]`, `\.` in names; surrounding braces are allowed.
 *
 * @returns undefined when the text is not such a path.
 */
export function parseJsonPath(text: string): JsonPath | undefined {
  if (text.length > MAX_PATH_LENGTH) return undefined;
  const body = text.replace(/^\{(.*)\}$/s, '$1').replace(/^\$/, '');
  return parseSteps(body);
}

/** All values at a path, in order; absent members yield nothing. */
export function findAll(path: JsonPath, value: Json): readonly Json[] {
  let values: readonly Json[] = [value];
  for (const step of path) values = values.flatMap((v) => take(step, v)).slice(0, MAX_RESULTS);
  return values;
}

/** The first value at a path, or undefined. */
export function findFirst(path: JsonPath, value: Json): Json | undefined {
  return findAll(path, value)[0];
}

const MEMBER = /^\.((?:\\.|[^.[\]\\*()=!<>\s'"])+)/s;
const QUOTED = /^\[\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)")\s*\]/s;
const INDEX = /^\[\s*(-?\d{1,9})\s*\]/;
const SLICE = /^\[\s*(-?\d{1,9})?\s*:\s*(-?\d{1,9})?\s*\]/;
const ALL = /^(?:\[\s*\*\s*\]|\.\*)/;
const FILTER = /^\[\s*\?\(\s*@((?:[^()'"]|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")*)\)\s*\]/s;
const CONDITION = /^(.*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+?))?\s*$/s;

function parseSteps(text: string): Step[] | undefined {
  const steps: Step[] = [];
  let rest = text;
  while (rest !== '' && rest !== '.') {
    const parsed = parseStep(rest);
    if (parsed === undefined) return undefined;
    steps.push(parsed.step);
    rest = rest.slice(parsed.length);
  }
  return steps;
}

function parseStep(text: string): { readonly step: Step; readonly length: number } | undefined {
  const all = ALL.exec(text);
  if (all !== null) return { step: { do: 'all' }, length: all[0].length };
  const member = MEMBER.exec(text);
  if (member !== null) return { step: { do: 'member', name: unescaped(member[1] ?? '') }, length: member[0].length };
  const quoted = QUOTED.exec(text);
  if (quoted !== null) {
    return { step: { do: 'member', name: unescaped(quoted[1] ?? quoted[2] ?? '') }, length: quoted[0].length };
  }
  const index = INDEX.exec(text);
  if (index !== null) return { step: { do: 'index', index: Number(index[1]) }, length: index[0].length };
  const slice = SLICE.exec(text);
  if (slice !== null) {
    const bound = (digits: string | undefined) => (digits === undefined ? undefined : Number(digits));
    return { step: { do: 'slice', from: bound(slice[1]), to: bound(slice[2]) }, length: slice[0].length };
  }
  const filter = FILTER.exec(text);
  const step = filter === null ? undefined : parseFilter(filter[1] ?? '');
  return filter === null || step === undefined ? undefined : { step, length: filter[0].length };
}

function parseFilter(text: string): Step | undefined {
  const [, path = '', operator, operand] = CONDITION.exec(text) ?? [];
  const left = parseSteps(path.trim());
  if (left === undefined) return undefined;
  if (operator === undefined || operand === undefined) return { do: 'filter', left };
  const right = parseOperand(operand);
  return right === undefined ? undefined : { do: 'filter', left, compare: operator as Comparison, right };
}

function parseOperand(text: string): Operand | undefined {
  if (text.startsWith('@')) {
    const path = parseSteps(text.slice(1));
    return path === undefined ? undefined : { path };
  }
  const [, single, double] = /^(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)")$/s.exec(text) ?? [];
  const quoted = single ?? double;
  if (quoted !== undefined) return { value: unescaped(quoted) };
  if (text === 'true' || text === 'false') return { value: text === 'true' };
  return /^-?\d+(?:\.\d+)?$/.test(text) ? { value: Number(text) } : undefined;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, '$1');
}

function take(step: Step, value: Json): readonly Json[] {
  switch (step.do) {
    case 'member': {
      const member = isJsonObject(value) ? ownMember(value, step.name) : undefined;
      return member === undefined ? [] : [member];
    }
    case 'index': {
      const item: Json | undefined = Array.isArray(value) ? value.at(step.index) : undefined;
      return item === undefined ? [] : [item];
    }
    case 'slice':
      return Array.isArray(value) ? value.slice(step.from, step.to) : [];
    case 'all':
      if (Array.isArray(value)) return value;
      return isJsonObject(value) ? Object.values(value).filter((member) => member !== undefined) : [];
    case 'filter':
      return Array.isArray(value) ? value.filter((item: Json) => passes(step, item)) : [];
  }
}

function passes(step: Step & { readonly do: 'filter' }, item: Json): boolean {
  const left = findFirst(step.left, item);
  if (step.compare === undefined || step.right === undefined) return left !== undefined;
  const right = 'value' in step.right ? step.right.value : findFirst(step.right.path, item);
  return left !== undefined && right !== undefined && compares(left, step.compare, right);
}

function compares(left: Json, operator: Comparison, right: Json): boolean {
  if (operator === '==') return jsonEqual(left, right);
  if (operator === '!=') return !jsonEqual(left, right);
  if (left === null || right === null || typeof left !== typeof right || typeof left === 'object') return false;
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
}
