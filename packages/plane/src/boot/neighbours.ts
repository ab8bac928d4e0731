import { readFileSync } from 'node:fs';
import { parseMac } from '@bloomery/wire';

/** Who is behind an address: learned from the packets that we saw, else from the kernel's neighbour table. */
export interface Neighbours {
  /** Lower case with colons; undefined beyond a router. */
  macOf(address: string): string | undefined;
  /** A packet said so. */
  learn(address: string, mac: string): void;
}

const REMEMBERED_MAX = 4_096;
const TABLE = '/proc/net/arp';

/** @param readTable the text of the neighbour table in the format of /proc/net/arp; empty when there is none */
export function createNeighbours(readTable: () => string = readArpTable): Neighbours {
  const learned = new Map<string, string>();
  const learn = (address: string, mac: string): void => {
    learned.delete(address);
    learned.set(address, mac);
    const oldest = learned.size > REMEMBERED_MAX ? learned.keys().next().value : undefined;
    if (oldest !== undefined) learned.delete(oldest);
  };
  return {
    learn,
    macOf: (address) => learned.get(address) ?? parseArpTable(readTable()).get(address),
  };
}

/** Complete entries of /proc/net/arp by IP address. */
export function parseArpTable(table: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of table.split('\n').slice(1)) {
    const [address, , , text] = line.split(/\s+/);
    const mac = text === undefined ? undefined : parseMac(text);
    if (address !== undefined && mac !== undefined && mac !== '00:00:00:00:00:00') found.set(address, mac);
  }
  return found;
}

function readArpTable(): string {
  try {
    return readFileSync(TABLE, 'utf8');
  } catch {
    return '';
  }
}
