import type { BoundAddress } from '@bloomery/ports';
import {
  configureLinkInterface,
  isLinkConfigured,
  isLinkIsolated,
  isolateLink,
  LINK_PORT,
  removeLinkIsolation,
  startWireguard,
  type WireguardBackend,
  type WireguardMode,
} from '@bloomery/siderolink';
import { keepInterface } from './keep-interface.ts';
import { type LinkServicesDeps, type LinkServicesOptions, startLinkServices } from './link-services.ts';
import type { LinkPeers } from './peers/link-peers.ts';

/** How the device is set up. */
export interface LinkDeviceOptions extends LinkServicesOptions {
  readonly mode: Exclude<WireguardMode, 'off'>;
  /** UDP port; 0 picks a free one. */
  readonly listenPort: number;
  /** Folder for wireguard-go. */
  readonly stateDir: string;
  /** Wanted name; `siderolink` unless given. */
  readonly interfaceName?: string;
}

/** What setting up needs. */
export interface LinkDeviceDeps extends LinkServicesDeps {
  readonly identity: LinkServicesDeps['identity'] & { readonly privateKey: string };
  readonly peers: LinkPeers;
}

/** The device with everything on it. Disposing it takes all of it away. */
export interface RunningDevice extends AsyncDisposable {
  readonly interfaceName: string;
  readonly backend: WireguardBackend;
  /** Bound UDP port. */
  readonly listenPort: number;
  readonly eventSink: BoundAddress;
  /** Why machines are not kept from each other and from the host's other services; undefined: they are. */
  notIsolated(): string | undefined;
  readonly upSinceMs: number;
  /** Public keys of machines to call, most recently seen first. */
  readonly toCall: readonly string[];
  /** Resolves with the reason when the device went away on its own. */
  readonly lost: Promise<string>;
}

/**
 * Make the WireGuard device, give it its peers and then its port, so that the first packet of a machine finds its peer;
 * isolate and set up its interface and start what listens there. Peers stay attached.
 *
 * @throws BloomeryError BLM_LINK_DEVICE_FAILED when one step fails; nothing is left behind then.
 */
export async function bringUpDevice(options: LinkDeviceOptions, deps: LinkDeviceDeps): Promise<RunningDevice> {
  const { identity, log, clock, peers } = deps;
  await using cleanup = new AsyncDisposableStack();
  // Also when the device has its peers and cannot listen: what it is disposed with must not be asked for more.
  cleanup.defer(async () => void (await peers.attach(undefined)));
  let toCall: readonly string[] = [];
  const started = await startWireguard(
    {
      mode: options.mode,
      name: options.interfaceName ?? 'siderolink',
      privateKey: identity.privateKey,
      listenPort: options.listenPort,
      beforeListening: async (made) => {
        toCall = await peers.attach(made);
      },
    },
    { stateDir: options.stateDir, clock, log },
  );
  const { device } = started;
  const { interfaceName, backend } = device;
  // The rules are there before the first packet comes in, and go after the last one: after the device.
  cleanup.defer(() => removeLinkIsolation(interfaceName));
  cleanup.use(device);
  cleanup.defer(async () => void (await peers.attach(undefined)));
  const { serverAddress } = identity;
  const link = { name: interfaceName, address: `${serverAddress}/64` };
  const kept = await keepInterface({
    interfaceName,
    isConfigured: () => isLinkConfigured(link),
    configure: () => configureLinkInterface(link),
    isIsolated: () => isLinkIsolated(interfaceName),
    isolate: () => isolateLink({ name: interfaceName, serverAddress, tcpPorts: Object.values(LINK_PORT) }),
    clock,
    log,
  });
  cleanup.use(kept);
  await configureLinkInterface(link);
  // The kernel chooses a free port only now.
  const listenPort = started.listenPort || (await device.state()).listenPort;
  const services = await startLinkServices(options, deps);
  cleanup.use(services);
  const { eventSink } = services;
  const upSinceMs = clock.nowMs();
  log.info('link.up', { interfaceName, backend, listenPort, called: toCall.length });
  const owned = cleanup.move();
  return {
    interfaceName,
    backend,
    listenPort,
    eventSink,
    notIsolated: kept.notIsolated,
    upSinceMs,
    toCall,
    lost: Promise.race([device.lost, kept.lost]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
