import { createGrpcClient, type GrpcClient } from '@bloomery/grpc';
import { BloomeryError } from '@bloomery/ports';
import { linkProto } from '@bloomery/wire';
import { type ApiEndpoint, parseApiEndpoint } from '../api-endpoint.ts';
import { type DialDeps, openApiSocket } from '../dial/open-socket.ts';
import { swapEndpoints } from '../endpoint-order.ts';
import { bareLinkAddress } from '../network-prefix.ts';
import { splitHostPort } from './host-port.ts';
import type { LinkInputs } from './node-options.ts';

/** What a server gave a machine. */
export interface ProvisionedLink {
  /** WireGuard endpoints `host:port`, best first; at least one. */
  readonly endpoints: readonly string[];
  /** base64 */
  readonly serverPublicKey: string;
  /** CIDR. */
  readonly nodeAddress: string;
  /** Without prefix length. */
  readonly serverAddress: string;
  /** `[v6]:port`: WireGuard goes through the gRPC tunnel under this name. Never logged. */
  readonly virtualAddress?: string;
}

const PROVISION_TIMEOUT_MS = 30_000;
const ENDPOINTS_MAX = 64;

/** A client of the API; it dials, through a proxy where the environment says so, when it is first used. */
export function openLinkApi(api: ApiEndpoint, deps: DialDeps): GrpcClient {
  const address = splitHostPort(api.host);
  const connect = () => openApiSocket(address, !api.insecure, deps);
  return createGrpcClient({ address, clock: deps.clock, connect, ...(api.insecure ? {} : { tls: {} }) });
}

/**
 * Ask the server for an address on the link; 30 s at most.
 *
 * @param publicKey base64
 * @throws BloomeryError BLM_GRPC_STATUS as the server said (NOT_FOUND: not allocated yet), BLM_LINK_API_URL_INVALID, and
 * BLM_LINK_UNREACHABLE when the answer cannot be used.
 */
export async function requestLink(
  inputs: LinkInputs,
  publicKey: string,
  deps: DialDeps & { readonly signal: AbortSignal },
): Promise<ProvisionedLink> {
  const api = parseApiEndpoint(inputs.api);
  const client = openLinkApi(api, deps);
  try {
    const request = {
      nodeUuid: inputs.uuid,
      nodePublicKey: publicKey,
      nodeUniqueToken: inputs.uniqueToken ?? '',
      talosVersion: inputs.talosVersion,
      ...(api.joinToken === '' ? {} : { joinToken: api.joinToken }),
      ...(api.tunnel ? { wireguardOverGrpc: true } : {}),
    };
    const options = { timeoutMs: PROVISION_TIMEOUT_MS, signal: deps.signal };
    const answer = await client.service(linkProto.ProvisionService).provision(request, options);
    const serverAddress = bareLinkAddress(answer.serverAddress);
    const [, length] = answer.nodeAddressPrefix.split('/', 2);
    const nodeAddress = bareLinkAddress(answer.nodeAddressPrefix);
    const endpoints = swapEndpoints(answer.serverEndpoint).slice(0, ENDPOINTS_MAX);
    if (serverAddress === undefined || nodeAddress === undefined || !/^\d{1,3}$/.test(length ?? '')) {
      throw unusable(api, 'an address');
    }
    if (endpoints.length === 0) throw unusable(api, 'a WireGuard endpoint');
    return {
      endpoints,
      serverPublicKey: answer.serverPublicKey,
      nodeAddress: `${nodeAddress}/${length}`,
      serverAddress,
      ...(answer.grpcPeerAddrPort === '' ? {} : { virtualAddress: answer.grpcPeerAddrPort }),
    };
  } finally {
    client.close();
  }
}

function unusable(api: ApiEndpoint, what: string): BloomeryError {
  const message = `joining the link of ${api.host}: its answer to Provision has not ${what} that can be used`;
  return new BloomeryError('BLM_LINK_UNREACHABLE', message, { retryable: true });
}
