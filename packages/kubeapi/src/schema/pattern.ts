import { linearPattern } from '../cel/linear-pattern.ts';

export { patternProblem } from '../cel/linear-pattern.ts';

/**
 * Whether a text matches a schema's `pattern`, an RE2 expression that need not match the whole text. Takes time linear to the
 * text, whatever the pattern. A text that is no RE2 expression matches nothing, as kube-apiserver treats a broken one.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  return linearPattern(pattern)?.test(text) ?? false;
}
