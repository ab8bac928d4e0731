import { entriesOf, scalarString, type YamlMap } from '../yaml/index.ts';
import { quoted } from './section.ts';

const MAX_NAME_CHARACTERS = 63;
const MAX_DOMAIN_CHARACTERS = 253;
const MAX_ANNOTATION_BYTES = 256 << 10;
const DOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const RESERVED = ['talos.dev/owned-annotations', 'talos.dev/owned-labels', 'talos.dev/owned-taints'];
const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

const sorted = (map: YamlMap | undefined): [string, string][] =>
  entriesOf(map ?? {})
    .map(([key, value]): [string, string] => [key, scalarString(value) ?? ''])
    .sort(([a], [b]) => (a < b ? -1 : 1));

/** What is wrong with labels of a Kubernetes node. */
export function labelProblems(labels: YamlMap | undefined): string[] {
  return sorted(labels).flatMap(([key, value]) => [nameProblem(key), valueProblem(value)].filter(isProblem));
}

/** What is wrong with annotations of a Kubernetes node. */
export function annotationProblems(annotations: YamlMap | undefined): string[] {
  const entries = sorted(annotations);
  const problems = entries.flatMap(([key]) =>
    [nameProblem(key), RESERVED.includes(key) ? `annotation ${quoted(key)} is reserved` : undefined].filter(isProblem),
  );
  const bytes = entries.reduce((sum, entry) => sum + Buffer.byteLength(entry.join('')), 0);
  if (bytes <= MAX_ANNOTATION_BYTES) return problems;
  return [...problems, `total annotation size exceeds limit of ${MAX_ANNOTATION_BYTES} bytes`];
}

/** What is wrong with taints of a Kubernetes node (`key: value:Effect` or `key: Effect`). */
export function taintProblems(taints: YamlMap | undefined): string[] {
  return sorted(taints).flatMap(([key, taint]) => {
    const colon = taint.indexOf(':');
    const effect = taint.slice(colon + 1);
    const problem =
      nameProblem(key) ??
      (EFFECTS.includes(effect) ? undefined : `invalid taint effect: ${quoted(effect)}`) ??
      (colon < 0 ? undefined : valueProblem(taint.slice(0, colon)));
    return problem === undefined ? [] : [problem];
  });
}

const isProblem = (problem: string | undefined): problem is string => problem !== undefined;

function nameProblem(key: string): string | undefined {
  const [first = '', second, more] = key.split('/', 3);
  if (more !== undefined) return `invalid format: too many slashes: ${quoted(key)}`;
  const prefix = second === undefined ? undefined : prefixProblem(key, first);
  if (prefix !== undefined) return prefix;
  const name = second ?? first;
  if (name === '') return `name cannot be empty: ${quoted(key)}`;
  if (name.length > MAX_NAME_CHARACTERS) return `name is too long: ${quoted(key)} (limit is ${MAX_NAME_CHARACTERS})`;
  return NAME.test(name) ? undefined : `name ${quoted(name)} is invalid`;
}

function prefixProblem(key: string, prefix: string): string | undefined {
  if (prefix === '') return `prefix cannot be empty: ${quoted(key)}`;
  const why =
    prefix.length > MAX_DOMAIN_CHARACTERS
      ? `domain name length exceeds limit of ${MAX_DOMAIN_CHARACTERS}: ${quoted(prefix)}`
      : DOMAIN.test(prefix)
        ? undefined
        : `domain doesn't match required format: ${quoted(prefix)}`;
  return why === undefined ? undefined : `prefix ${quoted(prefix)} is invalid: ${why}`;
}

function valueProblem(value: string): string | undefined {
  if (value.length > MAX_NAME_CHARACTERS) {
    return `label value length exceeds limit of ${MAX_NAME_CHARACTERS}: ${quoted(value)}`;
  }
  return value === '' || NAME.test(value) ? undefined : `label value ${quoted(value)} is invalid`;
}
