import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type Clock, hostPort, type Logger } from '@bloomery/ports';
import { configureLinkInterface, dropLinkAddresses } from '../device/link-interface.ts';
import { startWireguard } from '../device/start-wireguard.ts';
import type { WireguardMode } from '../device/wireguard-device.ts';
import { splitHostPort } from './host-port.ts';
import { interfaceRecord } from './interface-record.ts';
import type { ProvisionedLink } from './request-link.ts';

/** The interface of the link on a machine. Disposing it removes it. */
export interface LinkDevice extends AsyncDisposable {
  readonly interfaceName: string;
  /** Resolves with the reason when it went away on its own. */
  readonly lost: Promise<string>;
  /** Make the server its only peer, at this endpoint (a host name is looked up now), and give it the address. Repeatable. */
  configure(link: ProvisionedLink, endpoint: string): Promise<void>;
  /** When the server last answered, in milliseconds since the epoch; undefined: never yet. */
  lastHandshakeMs(): Promise<number | undefined>;
}

/** Which interface. */
export interface LinkDeviceOptions {
  readonly mode: Exclude<WireguardMode, 'off'>;
  readonly name: string;
  /** base64 */
  readonly privateKey: string;
  readonly stateDir: string;
}

const KEEPALIVE_SECONDS = 25;

/** Make the interface, without peer and address; one that an earlier run left behind goes. @throws BloomeryError BLM_LINK_DEVICE_FAILED */
export async function startLinkDevice(
  { mode, name, privateKey, stateDir }: LinkDeviceOptions,
  deps: { readonly clock: Clock; readonly log: Logger },
): Promise<LinkDevice> {
  const record = interfaceRecord(stateDir);
  await record.removeStale();
  const options = { mode, name, privateKey, listenPort: 0 };
  const { device } = await startWireguard(options, { ...deps, stateDir });
  const { interfaceName } = device;
  await record.note(interfaceName);
  let address: string | undefined;
  return {
    interfaceName,
    lost: device.lost,
    configure: async (link, endpoint) => {
      const peer = {
        publicKey: link.serverPublicKey,
        remove: false,
        replaceAllowedIps: true,
        allowedIps: [`${link.serverAddress}/128`],
        endpoint: await resolved(endpoint),
        keepaliveSeconds: KEEPALIVE_SECONDS,
      };
      await device.update({ replacePeers: true, peers: [peer] });
      if (address !== link.nodeAddress) await dropLinkAddresses(interfaceName);
      await configureLinkInterface({ name: interfaceName, address: link.nodeAddress });
      address = link.nodeAddress;
    },
    lastHandshakeMs: async () => (await device.state()).peers[0]?.lastHandshakeMs,
    [Symbol.asyncDispose]: async () => {
      await device[Symbol.asyncDispose]();
      await record.forget();
    },
  };
}

async function resolved(endpoint: string): Promise<string> {
  const { host, port } = splitHostPort(endpoint);
  return isIP(host) === 0 ? hostPort({ host: (await lookup(host)).address, port }) : endpoint;
}
