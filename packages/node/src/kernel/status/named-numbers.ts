import type { NameOf, Names } from '@bloomery/cosi';

const reversed = new WeakMap<Names, ReadonlyMap<number, string>>();

/** The name that a number has in a table, or its decimal text. */
export function nameOfNumber<const N extends Names>(names: N, value: number): NameOf<N> {
  let byNumber = reversed.get(names);
  if (byNumber === undefined) {
    byNumber = new Map(Object.entries(names).map(([name, number]) => [number, name]));
    reversed.set(names, byNumber);
  }
  return (byNumber.get(value) ?? String(value)) as NameOf<N>;
}

/** Names of the bits that are set, in the order of the bits. */
export function namesOfBits<const N extends Names>(names: N, bits: number): readonly NameOf<N>[] {
  const all = Object.values(names).sort((a, b) => a - b);
  return all.filter((bit) => (bits & bit) !== 0).map((bit) => nameOfNumber(names, bit));
}
