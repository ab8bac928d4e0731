import { RE2JS } from 're2js';

/** Compiled patterns; the oldest go when the cache is full. */
const CACHE_LIMIT = 2000;
const cache = new Map<string, Compiled>();

/** Patterns longer than this are refused: their programs would grow too large. */
const MAX_PATTERN_LENGTH = 10_000;

type Compiled = { readonly regex: RE2JS } | { readonly problem: string };

/** Compile an RE2 pattern, which takes time linear to the text to match. Undefined when it is none. Compiled patterns are kept. */
export function linearPattern(pattern: string): RE2JS | undefined {
  const made = compiled(pattern);
  return 'regex' in made ? made.regex : undefined;
}

/** Why a text is no RE2 pattern, as Go says it: ``error parsing regexp: missing closing ): `(` ``. Undefined when it is one. */
export function patternProblem(pattern: string): string | undefined {
  const made = compiled(pattern);
  return 'problem' in made ? made.problem : undefined;
}

function compiled(pattern: string): Compiled {
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  const made = compile(pattern);
  const oldest = cache.size >= CACHE_LIMIT ? cache.keys().next().value : undefined;
  if (oldest !== undefined) cache.delete(oldest);
  cache.set(pattern, made);
  return made;
}

function compile(pattern: string): Compiled {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    return { problem: `error parsing regexp: the pattern is longer than ${MAX_PATTERN_LENGTH} characters` };
  }
  try {
    return { regex: RE2JS.compile(pattern) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
