import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BoundAddress } from '@bloomery/ports';
import { parseConnections } from './connection-table.ts';
import { canonicalAddress } from './node-names.ts';

/**
 * The user whose process holds the other end of a TCP connection, where that is a process of this network namespace; undefined for
 * callers from elsewhere.
 *
 * @param root Where `/proc` is.
 */
export function localCallerUid(peer: BoundAddress, root: string): number | undefined {
  const host = unmapped(peer.host);
  for (const table of ['tcp', 'tcp6']) {
    const row = parseConnections(readTable(join(root, 'proc/self/net', table))).find(
      ({ localAddress, localPort }) => localPort === peer.port && unmapped(localAddress) === host,
    );
    if (row !== undefined) return row.uid;
  }
  return undefined;
}

/** A kernel without IPv6 has no second table. */
function readTable(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Sockets of both families show IPv4 in IPv6: `::ffff:7f00:1` is 127.0.0.1. */
function unmapped(address: string): string {
  const canonical = canonicalAddress(address);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical) ?? [];
  if (high === undefined || low === undefined) return canonical;
  const words = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return words.flatMap((word) => [word >> 8, word & 0xff]).join('.');
}
