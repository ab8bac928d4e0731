import { parseIp } from '../ip/ip-prefix.ts';
import type { LinkSpec } from '../resources/links.ts';
import type { HostAnswer } from './host-look-ups.ts';
import type { PresentWireguard } from './wireguard-patch.ts';

type Wireguard = LinkSpec['wireguard'];

/** What endpoints that are host names are now, and which could not be told. */
export interface ResolvedEndpoints {
  readonly wireguard: Wireguard;
  readonly problem?: string;
  /** What is not known yet. */
  readonly waiting?: string;
}

/**
 * Peers whose endpoints are addresses. A peer that already talks to any address of its host keeps it; one whose host cannot be told
 * keeps what it has.
 */
export function resolveEndpoints(
  wanted: Wireguard,
  present: PresentWireguard,
  ask: (host: string) => HostAnswer,
): ResolvedEndpoints {
  const known = new Map(present.peers.map(({ publicKey, endpoint }) => [publicKey, endpoint]));
  const problems = new Set<string>();
  const waiting = new Set<string>();
  const endpointOf = ({ endpoint, publicKey }: Wireguard['peers'][number]): string => {
    const { host, port } = splitEndpoint(endpoint);
    if (endpoint === '' || parseIp(host) !== undefined) return canonicalEndpoint(endpoint);
    const answer = ask(host);
    if ('problem' in answer) problems.add(answer.problem);
    if ('waiting' in answer) waiting.add(answer.waiting);
    if (!('addresses' in answer)) return '';
    const endpoints = answer.addresses.map((address) => joinEndpoint(address, port));
    return endpoints.find((one) => one === known.get(publicKey)) ?? endpoints[0] ?? '';
  };
  const wireguard = { ...wanted, peers: wanted.peers.map((peer) => ({ ...peer, endpoint: endpointOf(peer) })) };
  return {
    wireguard,
    ...(problems.size === 0 ? {} : { problem: [...problems].join('; ') }),
    ...(waiting.size === 0 ? {} : { waiting: [...waiting].join('; ') }),
  };
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
