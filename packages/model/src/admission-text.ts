import type { FieldProblem, KindDefinition } from './kind.ts';

/** The message of a Kubernetes Status that refuses an object: `Kind.group "name" is invalid: field: why`, or `[a, b]`. */
export function invalidMessage(
  kind: Pick<KindDefinition, 'kind' | 'group'>,
  name: string,
  problems: readonly FieldProblem[],
): string {
  const texts = problems.map(({ field, message }) => `${field}: ${message}`);
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const full = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  return `${full} ${JSON.stringify(name)} is invalid: ${list}`;
}

/** A problem of a field whose value is not in a closed list, in the words of upstream. */
export function notInList(field: string, value: unknown, allowed: readonly string[]): FieldProblem {
  const list = allowed.map((v) => JSON.stringify(v)).join(' ');
  return {
    field,
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${JSON.stringify(value)}: valid values are: [${list}]`,
  };
}
