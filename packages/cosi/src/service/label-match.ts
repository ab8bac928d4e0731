import { grpcError } from '@bloomery/grpc';
import { cosiProto } from '@bloomery/wire';

const { LabelTerm_Operation: Operation } = cosiProto;

/** Units behind numbers of labels, by how they begin. */
const MULTIPLIERS: readonly (readonly [prefix: string, multiplier: bigint])[] = [
  ['pi', 1n << 50n],
  ['ti', 1n << 40n],
  ['gi', 1n << 30n],
  ['mi', 1n << 20n],
  ['ki', 1n << 10n],
  ['p', 10n ** 15n],
  ['t', 10n ** 12n],
  ['g', 10n ** 9n],
  ['m', 10n ** 6n],
  ['k', 10n ** 3n],
];
const KNOWN: ReadonlySet<number> = new Set(Object.values(Operation));
const LABEL_NUMBER_MAX_CHARACTERS = 40;

type Labels = Readonly<Record<string, string>>;

/** Whether labels satisfy one of the queries; without queries they do. @throws grpcError UNIMPLEMENTED for unknown operators */
export function labelsMatch(queries: readonly cosiProto.LabelQuery[], labels: Labels): boolean {
  return queries.length === 0 || queries.some(({ terms }) => terms.every((term) => termMatches(term, labels)));
}

/** @throws grpcError UNIMPLEMENTED when an operator is unknown */
export function checkLabelQueries(queries: readonly cosiProto.LabelQuery[]): void {
  for (const { op } of queries.flatMap(({ terms }) => terms))
    if (!KNOWN.has(op)) throw grpcError('UNIMPLEMENTED', `unsupported label query operator: ${op}`);
}

function termMatches(term: cosiProto.LabelTerm, labels: Labels): boolean {
  if (term.op === Operation.NOT_EXISTS) return !Object.hasOwn(labels, term.key);
  const matches = plainMatch(term, Object.hasOwn(labels, term.key) ? labels[term.key] : undefined);
  return matches !== undefined && matches !== term.invert;
}

/** Undefined when it can neither be true nor false: such terms do not match, inverted or not. */
function plainMatch({ op, value: wanted }: cosiProto.LabelTerm, label: string | undefined): boolean | undefined {
  if (op === Operation.EXISTS) return label !== undefined;
  if (label === undefined) return op === Operation.EQUAL || op === Operation.IN ? false : undefined;
  const [first] = wanted;
  if (first === undefined) return false;
  switch (op) {
    case Operation.EQUAL:
      return label === first;
    case Operation.IN:
      return wanted.includes(label);
    case Operation.LT:
      return label < first;
    case Operation.LTE:
      return label <= first;
    default:
      return compareNumbers(op, label, first);
  }
}

function compareNumbers(op: cosiProto.LabelTerm_Operation, label: string, wanted: string): boolean | undefined {
  const [a, b] = [labelNumber(label), labelNumber(wanted)];
  if (a === undefined || b === undefined) return undefined;
  return op === Operation.LT_NUMERIC ? a < b : a <= b;
}

/** A whole number with an optional unit: `12`, `4Gi`, `3 GB`. */
function labelNumber(text: string): bigint | undefined {
  if (text.length > LABEL_NUMBER_MAX_CHARACTERS) return undefined;
  const [, digits = '', unit = ''] = /^\s*(-?[0-9]+)\s*([^0-9-].*)?$/.exec(text) ?? [];
  if (digits === '') return undefined;
  if (unit.trim() === '') return BigInt(digits);
  const found = MULTIPLIERS.find(([prefix]) => unit.toLowerCase().startsWith(prefix));
  return found === undefined ? undefined : BigInt(digits) * found[1];
}
