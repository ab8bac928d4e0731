import type { Names } from './field.ts';

/** The number of a name, or of the decimal text of a number without one; 0 for anything else. */
export function numberOfName(names: Names, name: string): number {
  if (Object.hasOwn(names, name)) return names[name] ?? 0;
  return /^-?[0-9]{1,15}$/.test(name) ? Number(name) : 0;
}

/** Names of the set bits in the table's order; bits without a name are left out. */
export function namesOfBits(names: Names, bits: number): string[] {
  return Object.entries(names)
    .filter(([, bit]) => (bits & bit) !== 0)
    .map(([name]) => name);
}
