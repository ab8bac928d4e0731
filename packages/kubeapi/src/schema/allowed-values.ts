import { type Json, jsonEqual } from '@bloomery/model';
import { goQuote, goValue } from './go-text.ts';

/** What an enum allows, made ready once: a list of many values may be asked about for each item of a long list. */
interface AllowedValues {
  readonly strings: ReadonlySet<string>;
  readonly others: readonly Json[];
  readonly text: string;
}

const prepared = new WeakMap<readonly Json[], AllowedValues>();

/** Whether an enum has this value. */
export function isAllowed(allowed: readonly Json[], value: Json): boolean {
  const { strings, others } = prepare(allowed);
  return typeof value === 'string' ? strings.has(value) : others.some((one) => jsonEqual(one, value));
}

/** The values of an enum as kube-apiserver lists them: `"fast", "slow"`. One text for all problems that name it. */
export function allowedText(allowed: readonly Json[]): string {
  return prepare(allowed).text;
}

function prepare(allowed: readonly Json[]): AllowedValues {
  const known = prepared.get(allowed);
  if (known !== undefined) return known;
  const values = {
    strings: new Set(allowed.filter((value) => typeof value === 'string')),
    others: allowed.filter((value) => typeof value !== 'string'),
    text: allowed.map((value) => goQuote(typeof value === 'string' ? value : goValue(value))).join(', '),
  };
  prepared.set(allowed, values);
  return values;
}
