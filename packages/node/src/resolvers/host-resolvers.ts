import type { HostFileKeeper } from '../files/host-file-keeper.ts';
import { serverAddress } from './server-address.ts';

/** What a host resolves names with of its own. */
export interface HostResolvers {
  readonly servers: readonly string[];
  readonly searchDomains: readonly string[];
}

export const RESOLV_CONF = '/etc/resolv.conf';
/** Where systemd-resolved says whom it asks. */
const RESOLVED_UPSTREAMS = '/run/systemd/resolve/resolv.conf';
/** Where local servers listen: systemd-resolved as well as the daemon. */
const STUB = '127.0.0.53';
/** Longer files are no resolv.conf. */
const MAX_CHARACTERS = 64 * 1024;

/** Read a resolv.conf. Lines that say something else, and addresses that are none, are left out. */
export function parseResolvConf(text: string): HostResolvers {
  const servers: string[] = [];
  let searchDomains: readonly string[] = [];
  for (const line of text.slice(0, MAX_CHARACTERS).split('\n')) {
    const [word, ...values] = line.trim().split(/\s+/);
    const address = word === 'nameserver' ? serverAddress(values[0] ?? '') : undefined;
    if (address !== undefined) servers.push(address);
    // The last one counts, as for the C library.
    if (word === 'search' || word === 'domain') searchDomains = values;
  }
  return { servers, searchDomains };
}

/** What the host itself would ask if the daemon were not there. systemd-resolved's stub gives its place to whom that asks. */
export async function ownResolvers(files: Pick<HostFileKeeper, 'original'>): Promise<HostResolvers> {
  const { servers, searchDomains } = parseResolvConf(String((await files.original(RESOLV_CONF)) ?? ''));
  const others = servers.filter((server) => server !== STUB);
  if (others.length === servers.length) return { servers, searchDomains };
  const resolved = parseResolvConf(String((await files.original(RESOLVED_UPSTREAMS)) ?? ''));
  return { servers: [...resolved.servers.filter((server) => server !== STUB), ...others], searchDomains };
}
