import { RE2JS } from 're2js';

/** Compiled patterns; the oldest go when the cache is full. */
const CACHE_LIMIT = 1000;
const cache = new Map<string, RE2JS | undefined>();

/** Patterns longer than this are refused: their programs would grow too large. */
const MAX_PATTERN_LENGTH = 10_000;

/** Compile an RE2 pattern; undefined when it is none, or too long. Compiled patterns are kept. */
export function linearPattern(pattern: string): RE2JS | undefined {
  if (cache.has(pattern)) return cache.get(pattern);
  const made = compile(pattern);
  const oldest = cache.size >= CACHE_LIMIT ? cache.keys().next().value : undefined;
  if (oldest !== undefined) cache.delete(oldest);
  cache.set(pattern, made);
  return made;
}

function compile(pattern: string): RE2JS | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH) return undefined;
  try {
    return RE2JS.compile(pattern);
  } catch {
    return undefined;
  }
}
