/** Kernel arguments by name. A name may stand several times; a word without `=` has the empty text. */
export interface KernelArguments {
  /** The first value, as upstream takes it where one is wanted. */
  first(name: string): string | undefined;
  /** The last value, as the kernel itself takes it. */
  last(name: string): string | undefined;
  /** Every value in order. */
  all(name: string): readonly string[];
}

/** Longest command line that is read; Linux takes 2 or 4 KiB. */
const COMMAND_LINE_MAX = 65_536;
/** Words that are read. */
const WORDS_MAX = 2_048;

/**
 * Read a kernel command line. Double quotes keep blanks, around a value or the whole word; one that is never closed reaches to the
 * end, as the kernel reads it.
 */
export function parseKernelArguments(text: string): KernelArguments {
  const found = new Map<string, string[]>();
  for (const word of words(text.slice(0, COMMAND_LINE_MAX))) {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    const value = equals < 0 ? '' : word.slice(equals + 1);
    const before = found.get(name);
    if (before === undefined) found.set(name, [value]);
    else before.push(value);
  }
  return {
    first: (name) => found.get(name)?.[0],
    last: (name) => found.get(name)?.at(-1),
    all: (name) => found.get(name) ?? [],
  };
}

function words(text: string): readonly string[] {
  const found: string[] = [];
  let word = '';
  let isQuoted = false;
  for (const character of text) {
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted || !/\s/.test(character)) word += character;
    else {
      if (word !== '') found.push(word);
      word = '';
    }
  }
  if (word !== '') found.push(word);
  return found.slice(0, WORDS_MAX);
}
