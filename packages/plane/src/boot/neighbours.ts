import { readFileSync } from 'node:fs';
import { type Clock, rememberNewest } from '@bloomery/ports';
import { parseMac } from '@bloomery/wire';

/** What is known of the machine behind an address. */
export interface Neighbour {
  /** Lower case with colons; absent beyond a router. */
  readonly mac?: string;
  /** Name of its Server. */
  readonly server?: string;
}

/** Who is behind an address: learned from what machines said, else from the kernel's neighbour table. */
export interface Neighbours {
  whoIs(address: string): Neighbour;
  /** The machine at this address said who it is. */
  learn(address: string, who: Neighbour): void;
}

const REMEMBERED_MAX = 4_096;
const TABLE = '/proc/net/arp';

/** The kernel's table is read again after this time. */
const TABLE_AGE_MS = 500;

/** @param readTable the text of the neighbour table in the format of /proc/net/arp; empty when there is none */
export function createNeighbours(clock: Clock, readTable: () => string = readArpTable): Neighbours {
  const learned = new Map<string, Neighbour>();
  let table: ReadonlyMap<string, string> = new Map();
  let readAtMs = Number.NEGATIVE_INFINITY;
  const macOf = (address: string): string | undefined => {
    if (clock.nowMs() - readAtMs >= TABLE_AGE_MS) {
      table = parseArpTable(readTable());
      readAtMs = clock.nowMs();
    }
    return table.get(address);
  };
  return {
    learn: (address, who) => rememberNewest(learned, address, who, REMEMBERED_MAX),
    whoIs: (address) => {
      const mac = macOf(address);
      const said = learned.get(address);
      // Addresses go from machine to machine: what was said holds only for the same hardware address.
      if (said !== undefined && (mac === undefined || said.mac === undefined || said.mac === mac)) return said;
      return mac === undefined ? {} : { mac };
    },
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
