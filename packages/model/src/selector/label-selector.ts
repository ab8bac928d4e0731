import type { Infer } from '../schema.ts';
import type { labelSelectorSchema } from '../shared-schema.ts';

/** metav1.LabelSelector. */
export type LabelSelector = Infer<typeof labelSelectorSchema>;

type Labels = Readonly<Record<string, string>>;

/** A selector that was understood, or why it was not, in Kubernetes' words. */
export type CompiledSelector =
  | { readonly ok: true; readonly matches: (labels: Labels | undefined) => boolean }
  | { readonly ok: false; readonly problem: string };

const NAME = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const PREFIX = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const VALUE = /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;

/** Understand a label selector. Absent or empty matches everything; operators are case-sensitive. */
export function compileLabelSelector(selector: LabelSelector | null | undefined): CompiledSelector {
  const tests: ((labels: Labels) => boolean)[] = [];
  const pairs = Object.entries(selector?.matchLabels ?? {});
  const requirements = [
    ...pairs.map(([key, value]) => ({ key, operator: 'In', values: [value] })),
    ...(selector?.matchExpressions ?? []),
  ];
  for (const { key, operator, values } of requirements) {
    const problem = requirementProblem(key, operator, values ?? []);
    if (problem !== undefined) return { ok: false, problem };
    tests.push(requirementTest(key, operator, values ?? []));
  }
  return { ok: true, matches: (labels) => tests.every((test) => test(labels ?? {})) };
}

/** A label selector in one line, as `kubectl` prints it: `zone in (a,b),!gpu`. */
export function labelSelectorText(selector: LabelSelector | null | undefined): string {
  const pairs = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector?.matchExpressions ?? []).map(({ key, operator, values }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${(values ?? []).join(',')})`;
  });
  return [...pairs.sort(), ...expressions].join(',');
}

function requirementTest(key: string, operator: string, values: readonly string[]): (labels: Labels) => boolean {
  const has = (labels: Labels): boolean => Object.hasOwn(labels, key);
  const isIn = (labels: Labels): boolean => has(labels) && values.includes(labels[key] ?? '');
  switch (operator) {
    case 'In':
      return isIn;
    case 'NotIn':
      return (labels) => !isIn(labels);
    case 'Exists':
      return has;
    default:
      return (labels) => !has(labels);
  }
}

function requirementProblem(key: string, operator: string, values: readonly string[]): string | undefined {
  const isSetOperator = operator === 'In' || operator === 'NotIn';
  if (!isSetOperator && operator !== 'Exists' && operator !== 'DoesNotExist') {
    return `${JSON.stringify(operator)} is not a valid label selector operator`;
  }
  if (!isLabelKey(key)) return `key: Invalid value: ${JSON.stringify(key)}: must be a valid label key`;
  if (isSetOperator && values.length === 0) {
    return "values: Invalid value: []string(nil): for 'in', 'notin' operators, values set can't be empty";
  }
  if (!isSetOperator && values.length > 0) {
    const list = values.map((v) => JSON.stringify(v)).join(', ');
    return `values: Invalid value: []string{${list}}: values set must be empty for exists and does not exist`;
  }
  const at = values.findIndex((value) => !VALUE.test(value));
  return at < 0
    ? undefined
    : `values[${at}][${key}]: Invalid value: ${JSON.stringify(values[at])}: must be a valid label value`;
}

function isLabelKey(key: string): boolean {
  const parts = key.split('/');
  if (parts.length > 2) return false;
  const [first = '', second] = parts;
  return second === undefined ? NAME.test(first) : PREFIX.test(first) && NAME.test(second);
}
