import type { HostEntry } from '../files/hosts-file.ts';

/** Addresses by name, as the server takes them: names in lower case, without a dot at their end. */
export type NameTable = ReadonlyMap<string, readonly string[]>;

/** One that has names. */
export interface NamedMember {
  /** Host name and id; each is known in full and by its first label. */
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

/** Everybody's names; who comes first has a name that two have. */
export function memberNames(members: readonly NamedMember[]): NameTable {
  const table = new Map<string, readonly string[]>();
  for (const { names, addresses } of members) {
    for (const name of names.map(asKey)) {
      for (const key of [name, name.split('.')[0] ?? '']) if (key !== '' && !table.has(key)) table.set(key, addresses);
    }
  }
  return table;
}

/** Names of the hosts file: every address of a name, in order. `localhost` is always there. */
export function hostNames(entries: readonly HostEntry[]): NameTable {
  const table = new Map<string, readonly string[]>();
  for (const { address, names } of [...entries, ...LOOPBACK]) {
    for (const key of names.map(asKey)) {
      const known = table.get(key) ?? [];
      if (key !== '' && !known.includes(address)) table.set(key, [...known, address]);
    }
  }
  return table;
}

/** RFC 6761 section 6.3. */
const LOOPBACK: readonly HostEntry[] = [
  { address: '127.0.0.1', names: ['localhost'] },
  { address: '::1', names: ['localhost'] },
];

const asKey = (name: string): string => name.toLowerCase().replace(/\.$/, '');
