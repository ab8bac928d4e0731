/** The number of a name of an enumeration, or of a number as text; 0 for anything else. */
export function numberOf(names: Readonly<Record<string, number>>, name: string): number {
  const number = Object.hasOwn(names, name) ? names[name] : Number(name);
  return Number.isSafeInteger(number) ? (number ?? 0) : 0;
}
