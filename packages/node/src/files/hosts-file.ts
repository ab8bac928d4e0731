/** Names of an address in the hosts file. */
export interface HostEntry {
  readonly address: string;
  readonly names: readonly string[];
}

const BEFORE: readonly HostEntry[] = [{ address: '127.0.0.1', names: ['localhost'] }];
const AFTER: readonly HostEntry[] = [
  { address: '::1', names: ['localhost', 'ip6-localhost', 'ip6-loopback'] },
  { address: 'ff02::1', names: ['ip6-allnodes'] },
  { address: 'ff02::2', names: ['ip6-allrouters'] },
];
const HEADING = '# Added by bloomery node; taken out again when it stops.';

/** The hosts file of a machine that is looked after as a whole: local names, the machine's own, and further ones by their address. */
export function renderHosts(own: HostEntry | undefined, further: readonly HostEntry[]): string {
  return table([...BEFORE, ...(own === undefined ? [] : [own]), ...AFTER, ...byAddress(further)]);
}

/** A hosts file of somebody else with further names behind it. */
export function appendHosts(original: string, further: readonly HostEntry[]): string {
  const gap = original === '' || original.endsWith('\n') ? '' : '\n';
  return `${original}${gap}${HEADING}\n${table(byAddress(further))}`;
}

/** One entry for each address, in the order of their texts. */
function byAddress(entries: readonly HostEntry[]): readonly HostEntry[] {
  const names = new Map<string, string[]>();
  for (const entry of entries) {
    const all = names.get(entry.address) ?? [];
    names.set(entry.address, all);
    for (const name of entry.names) all.push(name);
  }
  return [...names].map(([address, all]) => ({ address, names: all })).sort((a, b) => (a.address < b.address ? -1 : 1));
}

function table(entries: readonly HostEntry[]): string {
  const width = entries.reduce((widest, { address }) => Math.max(widest, address.length), 0) + 1;
  return entries.map(({ address, names }) => `${address.padEnd(width)}${names.join(' ')}\n`).join('');
}
