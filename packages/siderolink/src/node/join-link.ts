import { createGrpcClient } from '@bloomery/grpc';
import { BloomeryError, type Clock, type Logger } from '@bloomery/ports';
import { linkProto } from '@bloomery/wire';
import { parseApiEndpoint } from '../api-endpoint.ts';
import { configureLinkInterface } from '../device/link-interface.ts';
import { startWireguard } from '../device/start-wireguard.ts';
import type { WireguardMode } from '../device/wireguard-device.ts';
import { swapEndpoints } from '../endpoint-order.ts';
import { bareLinkAddress } from '../network-prefix.ts';
import { generateWireguardKey, wireguardPublicKey } from '../wireguard-keys.ts';
import { splitHostPort } from './host-port.ts';

/** How a machine introduces itself. */
export interface ProvisionOptions {
  /** Text of `siderolink.api`. */
  readonly api: string;
  /** SMBIOS UUID. */
  readonly uuid: string;
  /** base64 */
  readonly publicKey: string;
  readonly talosVersion: string;
  readonly uniqueToken?: string;
}

/** What the server answered. */
export interface LinkGrant {
  /** `host:port`, best first. */
  readonly endpoints: readonly string[];
  /** base64 */
  readonly serverPublicKey: string;
  /** CIDR of the machine's own address. */
  readonly nodeAddress: string;
  /** Without prefix length. */
  readonly serverAddress: string;
}

const PROVISION_TIMEOUT_MS = 30_000;

/**
 * Ask the server for an address on the link.
 *
 * @throws BloomeryError BLM_GRPC_STATUS as the server said (NOT_FOUND: not allocated yet), BLM_LINK_API_URL_INVALID.
 */
export async function provisionLink(options: ProvisionOptions, clock: Clock): Promise<LinkGrant> {
  const api = parseApiEndpoint(options.api);
  const client = createGrpcClient({ address: splitHostPort(api.host), clock, ...(api.insecure ? {} : { tls: {} }) });
  try {
    const request = {
      nodeUuid: options.uuid,
      nodePublicKey: options.publicKey,
      nodeUniqueToken: options.uniqueToken ?? '',
      talosVersion: options.talosVersion,
      ...(api.joinToken === '' ? {} : { joinToken: api.joinToken }),
    };
    const answer = await client
      .service(linkProto.ProvisionService)
      .provision(request, { timeoutMs: PROVISION_TIMEOUT_MS });
    return {
      endpoints: swapEndpoints(answer.serverEndpoint),
      serverPublicKey: answer.serverPublicKey,
      nodeAddress: answer.nodeAddressPrefix,
      serverAddress: answer.serverAddress,
    };
  } finally {
    client.close();
  }
}

/** What joining needs besides the introduction. */
export interface JoinOptions extends Omit<ProvisionOptions, 'publicKey'> {
  readonly mode: Exclude<WireguardMode, 'off'>;
  /** Folder for wireguard-go, where the kernel has no WireGuard. */
  readonly stateDir: string;
  /** Interface name; `siderolink` unless given. */
  readonly interfaceName?: string;
}

/** The machine's end of the link, up. Disposing it removes the interface. */
export interface JoinedLink extends AsyncDisposable, LinkGrant {
  readonly interfaceName: string;
}

const KEEPALIVE_SECONDS = 25;

/**
 * Join the link as Talos does: a new key, Provision, a WireGuard interface with the server as its only peer.
 * The caller repeats after a failure (its errors say whether that helps).
 */
export async function joinLink(
  options: JoinOptions,
  deps: { readonly clock: Clock; readonly log: Logger },
): Promise<JoinedLink> {
  const privateKey = generateWireguardKey();
  const grant = await provisionLink({ ...options, publicKey: wireguardPublicKey(privateKey) }, deps.clock);
  const endpoint = grant.endpoints[0];
  if (endpoint === undefined || bareLinkAddress(grant.nodeAddress) === undefined) {
    throw new BloomeryError(
      'BLM_LINK_DEVICE_FAILED',
      'joining the link: the server answered without endpoint or address',
    );
  }
  const { device } = await startWireguard(
    { mode: options.mode, name: options.interfaceName ?? 'siderolink', privateKey, listenPort: 0 },
    { ...deps, stateDir: options.stateDir },
  );
  try {
    const peer = {
      publicKey: grant.serverPublicKey,
      remove: false,
      replaceAllowedIps: true,
      allowedIps: [`${grant.serverAddress}/128`],
      endpoint,
      keepaliveSeconds: KEEPALIVE_SECONDS,
    };
    await device.update({ peers: [peer] });
    await configureLinkInterface({ name: device.interfaceName, address: grant.nodeAddress });
  } catch (error) {
    await device[Symbol.asyncDispose]();
    throw error;
  }
  return {
    ...grant,
    interfaceName: device.interfaceName,
    [Symbol.asyncDispose]: () => device[Symbol.asyncDispose](),
  };
}
