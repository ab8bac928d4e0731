/** Compiled patterns; a schema has a bounded number of them, and the oldest go when the cache is full. */
const CACHE_LIMIT = 2000;
const cache = new Map<string, RegExp | undefined>();

/**
 * Whether a text matches a schema's `pattern`, an RE2 expression that need not match the whole text.
 * A pattern that this runtime cannot compile matches nothing, as kube-apiserver treats a broken one.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  return compiled(pattern)?.test(text) ?? false;
}

function compiled(pattern: string): RegExp | undefined {
  if (cache.has(pattern)) return cache.get(pattern);
  const made = compile(pattern);
  const oldest = cache.size >= CACHE_LIMIT ? cache.keys().next().value : undefined;
  if (oldest !== undefined) cache.delete(oldest);
  cache.set(pattern, made);
  return made;
}

function compile(pattern: string): RegExp | undefined {
  const [, flags = '', body = ''] = /^(?:\(\?([ims]+)\))?([\s\S]*)$/.exec(pattern) ?? [];
  const translated = body
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\A', '^')
    .replaceAll('\\z', '$')
    .replace(/\[:(\w+):\]/g, (all, name: string) => POSIX_CLASSES[name] ?? all);
  for (const mode of ['u', '']) {
    try {
      return new RegExp(translated, flags + mode);
    } catch {
      // RE2 allows escapes that the strict mode refuses: try again without it.
    }
  }
  return undefined;
}

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\s',
  upper: 'A-Z',
  word: '\\w',
  xdigit: '0-9A-Fa-f',
};
