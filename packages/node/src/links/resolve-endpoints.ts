import { errorText } from '@bloomery/ports';
import { parseIp } from '../ip/ip-prefix.ts';
import type { LinkSpec } from '../resources/links.ts';
import type { PresentWireguard } from './wireguard-patch.ts';

type Wireguard = LinkSpec['wireguard'];

/** All addresses of a host by its name, the preferred one first. @throws when it cannot be told now */
export type LookUpHost = (host: string) => Promise<readonly string[]>;

/** What endpoints that are host names are now, and which could not be told. */
export interface ResolvedEndpoints {
  readonly wireguard: Wireguard;
  readonly problem?: string;
}

/**
 * Peers whose endpoints are addresses. A peer that already talks to any address of its host keeps it; one whose host cannot be looked
 * up keeps what it has.
 */
export async function resolveEndpoints(
  wanted: Wireguard,
  present: PresentWireguard,
  lookUpHost: LookUpHost,
): Promise<ResolvedEndpoints> {
  const known = new Map(present.peers.map(({ publicKey, endpoint }) => [publicKey, endpoint]));
  const problems: string[] = [];
  const peers: Wireguard['peers'][number][] = [];
  for (const peer of wanted.peers) {
    const { host, port } = splitEndpoint(peer.endpoint);
    if (peer.endpoint === '' || parseIp(host) !== undefined) {
      peers.push({ ...peer, endpoint: canonicalEndpoint(peer.endpoint) });
      continue;
    }
    try {
      const endpoints = (await lookUpHost(host)).map((address) => joinEndpoint(address, port));
      const present = endpoints.find((endpoint) => endpoint === known.get(peer.publicKey));
      peers.push({ ...peer, endpoint: present ?? endpoints[0] ?? '' });
      if (endpoints.length === 0) problems.push(`looking up endpoint ${host}: it has no address`);
    } catch (error) {
      problems.push(`looking up endpoint ${host}: ${errorText(error)}`);
      peers.push({ ...peer, endpoint: '' });
    }
  }
  const wireguard = { ...wanted, peers };
  return problems.length === 0 ? { wireguard } : { wireguard, problem: problems.join('; ') };
}

/** An endpoint with its address in canonical form; host names stay as they are. */
export function canonicalEndpoint(endpoint: string): string {
  const { host, port } = splitEndpoint(endpoint);
  const ip = parseIp(host);
  return ip === undefined ? endpoint : joinEndpoint(ip.text, port);
}

/** `host:port` or `[address]:port`. */
function splitEndpoint(endpoint: string): { readonly host: string; readonly port: string } {
  const colon = endpoint.lastIndexOf(':');
  const host = endpoint.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: endpoint.slice(colon + 1) };
}

const joinEndpoint = (host: string, port: string): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
