import { lookup as lookupHost } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type Clock, hostPort } from '@bloomery/ports';
import { splitHostPort } from '@bloomery/siderolink';

/** All addresses of a host name, best first; throws when it has none. */
export type Lookup = (host: string) => Promise<readonly string[]>;

/** The system's resolver. */
export const systemLookup: Lookup = async (host) => {
  const found = await lookupHost(host, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
};

/** A name is looked up again after this time, */
const FRESH_MS = 30_000;
/** an answer is waited for this long, then the last one is used, or the name itself, */
const WAIT_MS = 2_000;
/** and so many of its addresses are told. */
const ADDRESSES_MAX = 4;
const NAMES_MAX = 100;

interface Known {
  readonly atMs: number;
  readonly addresses: readonly string[];
}

/**
 * Makes `host:port` texts with addresses out of such with names, in order and without repeats: machines may have no resolver
 * yet. Names are looked up again every 30 s. Never throws.
 */
export function createEndpointResolver(
  clock: Clock,
  lookup: Lookup = systemLookup,
): (endpoints: readonly string[]) => Promise<readonly string[]> {
  const known = new Map<string, Known>();
  const running = new Map<string, Promise<readonly string[]>>();
  const renew = (host: string): Promise<readonly string[]> => {
    const under = running.get(host);
    if (under !== undefined) return under;
    const found = lookup(host).then(
      (addresses) => addresses.filter((address) => isIP(address) !== 0).slice(0, ADDRESSES_MAX),
      () => [],
    );
    const kept = found.then((addresses) => {
      running.delete(host);
      const next = addresses.length === 0 ? (known.get(host)?.addresses ?? []) : addresses;
      if (known.size >= NAMES_MAX && !known.has(host)) known.clear();
      known.set(host, { atMs: clock.nowMs(), addresses: next });
      return next;
    });
    running.set(host, kept);
    return kept;
  };
  const addressesOf = async (host: string): Promise<readonly string[]> => {
    const have = known.get(host);
    if (have !== undefined && clock.nowMs() - have.atMs < FRESH_MS) return have.addresses;
    const stop = new AbortController();
    const late = clock.sleep(WAIT_MS, stop.signal).then(() => have?.addresses ?? []);
    try {
      return await Promise.race([renew(host), late]);
    } finally {
      stop.abort();
    }
  };
  return async (endpoints) => {
    if (endpoints.every((endpoint) => isIP(splitHostPort(endpoint).host) !== 0)) return endpoints;
    const all = endpoints.map(async (endpoint) => {
      const { host, port } = splitHostPort(endpoint);
      if (isIP(host) !== 0 || host === '') return [endpoint];
      const addresses = await addressesOf(host);
      return addresses.length === 0 ? [endpoint] : addresses.map((address) => hostPort({ host: address, port }));
    });
    return [...new Set((await Promise.all(all)).flat())];
  };
}
