import { EvaluationFailure } from './evaluation-failure.ts';
import type { Library } from './library.ts';
import { linearPattern } from './linear-pattern.ts';
import { spend } from './work-budget.ts';

/** `matches`, `find` and `findAll`: RE2, in time linear to the text. */
export const patternLibrary: Library = (define) => {
  define('string.k_matches(string): bool', matches);
  define('matches(string, string): bool', matches);
  define('string.find(string): string', (text: string, pattern: string) => findAll(text, pattern, 1)[0] ?? '');
  define('string.findAll(string): list<string>', (text: string, pattern: string) => findAll(text, pattern, -1));
  define('string.findAll(string, int): list<string>', (text: string, pattern: string, limit: bigint) =>
    findAll(text, pattern, limit < 0n ? -1 : Number(limit)),
  );
};

function matches(text: string, pattern: string): boolean {
  return compiled(text, pattern).test(text);
}

function findAll(text: string, pattern: string, limit: number): string[] {
  const found: string[] = [];
  const matcher = compiled(text, pattern).matcher(text);
  while (found.length !== limit && matcher.find()) {
    spend(1);
    found.push(matcher.group() ?? '');
  }
  return found;
}

function compiled(text: string, pattern: string) {
  // A step of the matching machine costs the text's length times the pattern's.
  spend(1 + (text.length * (1 + pattern.length / 8)) / 16);
  const regex = linearPattern(pattern);
  if (regex === undefined) throw new EvaluationFailure(`error parsing regexp: \`${pattern}\``);
  return regex;
}
