/** How English plurals of type names end, and what of them stays: as COSI's pluralizer has it, `DNSResolveCaches` included. */
const ENDINGS: readonly (readonly [plural: RegExp, singular: string])[] = [
  [/([^aeiou])ies$/i, '$1y'],
  [/(x|ch|ss|sh|zz|alias|[^aou]us)(es)?$/i, '$1'],
  [/s$/i, ''],
];

/** The singular of the name of a type. */
export function singular(plural: string): string {
  const ending = ENDINGS.find(([pattern]) => pattern.test(plural));
  return ending === undefined ? plural : plural.replace(ending[0], ending[1]);
}
