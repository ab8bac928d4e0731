import {
  allKinds,
  builtinKinds,
  explanation,
  type KindDefinition,
  machineTimeline,
  siderolinkDevice,
  siderolinkPeer,
} from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { usageError } from './exit-code.ts';
import { suggest } from './suggest.ts';

const KINDS: readonly KindDefinition[] = [
  ...allKinds.filter((kind) => kind.storage),
  ...builtinKinds,
  explanation,
  machineTimeline,
  siderolinkDevice,
  siderolinkPeer,
];

/**
 * The kind that a person means: `server`, `servers`, `srv`, `Server`, `servers.metal.sidero.dev`.
 *
 * @throws BloomeryError BLM_CLI_NAME_UNKNOWN with the nearest names.
 */
export function resolveKind(text: string): KindDefinition {
  const [name = '', ...group] = text.toLowerCase().split('.');
  const found = KINDS.find((kind) => namesOf(kind).includes(name) && kind.group.startsWith(group.join('.')));
  if (found !== undefined) return found;
  const near = suggest(name, KINDS.flatMap(namesOf));
  throw new BloomeryError('BLM_CLI_NAME_UNKNOWN', `no kind is called ${JSON.stringify(text)}${didYouMean(near)}`, {
    facts: { try: 'bloomery get --help' },
  });
}

/** Plural names of all kinds, for help and completion. */
export function kindNames(): readonly string[] {
  return KINDS.map((kind) => kind.plural);
}

/** An object as it is named on the command line. */
export interface ObjectArgument {
  readonly kind: KindDefinition;
  readonly name: string;
}

/**
 * Read `KIND/NAME`, `KIND NAME`, or a bare NAME where the kind is clear.
 *
 * @param fallback the kind of a bare name.
 * @throws BloomeryError BLM_CLI_USAGE, BLM_CLI_NAME_UNKNOWN
 */
export function parseObjectArgument(words: readonly string[], fallback?: KindDefinition): ObjectArgument {
  const [first = '', second, ...rest] = words;
  if (rest.length > 0 || first === '') throw usageError('one object is wanted: KIND/NAME');
  const slash = first.indexOf('/');
  if (slash > 0 && second === undefined)
    return { kind: resolveKind(first.slice(0, slash)), name: first.slice(slash + 1) };
  if (second !== undefined) return { kind: resolveKind(first), name: second };
  if (fallback === undefined) throw usageError(`${JSON.stringify(first)} names no object: KIND/NAME is wanted`);
  return { kind: fallback, name: first };
}

/** `; did you mean a, b?`, or nothing. */
export function didYouMean(names: readonly string[]): string {
  return names.length === 0 ? '' : `; did you mean ${names.join(', ')}?`;
}

function namesOf(kind: KindDefinition): readonly string[] {
  return [kind.plural, kind.singular, kind.kind.toLowerCase(), ...kind.shortNames];
}
