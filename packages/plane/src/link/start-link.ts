import type { GrpcService } from '@bloomery/grpc';
import type { EventRecorder, ObjectClient, WritableObjectCache } from '@bloomery/kube';
import { type ServerBinding, serverBinding } from '@bloomery/model';
import { type BoundAddress, type Clock, errorText, hostPort, type Logger, type RandomBytes } from '@bloomery/ports';
import {
  configureLinkInterface,
  isolateLink,
  type LinkIdentity,
  removeLinkIsolation,
  startWireguard,
  type WireguardBackend,
  type WireguardDevice,
  type WireguardMode,
} from '@bloomery/siderolink';
import type { TimelineRecorder } from '../insight/timeline.ts';
import { LINK_PORTS, startLinkServices } from './link-services.ts';
import { createLinkPeers } from './peers/link-peers.ts';
import { reportLinkStates } from './peers/link-state.ts';
import { createProvisionService } from './provision/provision-service.ts';

/** How the link is set up. */
export interface LinkOptions {
  readonly mode: WireguardMode;
  /** UDP port; 0 picks a free one. */
  readonly listenPort: number;
  /** WireGuard endpoints that a machine at this address is told, best first; without port: the bound one. */
  readonly advertise: (callerAddress: string) => readonly { readonly host: string; readonly port?: number }[];
  /** CIDRs of addresses that machines report and that are left out. */
  readonly negativeAddressFilter: readonly string[];
  /** Folder for wireguard-go. */
  readonly stateDir: string;
  /** Wanted name; `siderolink` unless given. */
  readonly interfaceName?: string;
}

/** What the link needs. */
export interface LinkDeps {
  /** From loadLinkIdentity. */
  readonly identity: LinkIdentity;
  readonly client: ObjectClient;
  /** Must hold ServerBindings, Servers and MetalMachines. */
  readonly cache: WritableObjectCache;
  readonly events: EventRecorder;
  readonly timeline: TimelineRecorder;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
}

/** Whether machines can link, and if not, why. */
export type LinkStatus =
  | {
      readonly state: 'up';
      readonly interfaceName: string;
      readonly backend: WireguardBackend;
      /** Bound UDP port. */
      readonly listenPort: number;
      readonly eventSink: BoundAddress;
    }
  | { readonly state: 'down'; readonly reason: string }
  | { readonly state: 'off' };

/** The server's end of the link. */
export interface Link extends AsyncDisposable {
  /** For the machine port: `sidero.link.ProvisionService`. */
  readonly provision: GrpcService;
  status(): LinkStatus;
}

const DEFAULT_PORT = 51_821;
const REPORT_EVERY_MS = 10_000;
const RESTART_AFTER_MS = 10_000;

/**
 * Start the server's end of the link: WireGuard with a peer per ServerBinding, isolation, and the event sink on it.
 * A device that cannot be made is said once and reported by status(); Provision is answered all the same. A device that is
 * lost later is made again every 10 s.
 */
export async function startLink(options: LinkOptions, deps: LinkDeps): Promise<Link> {
  const peers = createLinkPeers(deps.log);
  const listed = await deps.client.list(serverBinding);
  await Promise.all(listed.items.map((binding) => peers.put(binding)));
  const forget = deps.cache.listen(serverBinding, (object, gone) => {
    const binding = object as ServerBinding;
    const done = gone ? peers.remove(binding) : peers.put(binding);
    done.catch((error) => deps.log.warn('link.peer_failed', { server: object.metadata.name, error: errorText(error) }));
  });
  const stop = new AbortController();
  let status: LinkStatus = { state: 'off' };
  let running: RunningDevice | undefined;
  let loop: Promise<void> = Promise.resolve();
  const start = async (): Promise<LinkStatus> => {
    try {
      running = await bringUp(options, deps, peers);
      status = running.status;
      deps.log.info('link.up', { ...running.status, eventSink: hostPort(running.status.eventSink) });
    } catch (error) {
      status = { state: 'down', reason: errorText(error) };
    }
    return status;
  };
  if (options.mode !== 'off') {
    const first = await start();
    if (first.state === 'down') deps.log.warn('link.unavailable', { reason: first.reason });
    else loop = keepUp();
  }

  async function keepUp(): Promise<void> {
    while (!stop.signal.aborted) {
      const lost = await followDevice(running, { ...deps, peers }, stop.signal);
      if (lost === undefined) return;
      deps.log.error('link.lost', { reason: lost });
      status = { state: 'down', reason: lost };
      await peers.attach(undefined);
      await running?.[Symbol.asyncDispose]();
      running = undefined;
      while (running === undefined && !stop.signal.aborted) {
        await deps.clock.sleep(RESTART_AFTER_MS, stop.signal);
        if (!stop.signal.aborted) await start();
      }
    }
  }

  const boundPort = (): number => (status.state === 'up' ? status.listenPort : options.listenPort || DEFAULT_PORT);
  return {
    provision: createProvisionService({
      ...deps,
      peers,
      endpoints: (caller) =>
        options.advertise(caller).map(({ host, port }) => hostPort({ host, port: port ?? boundPort() })),
    }),
    status: () => status,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      forget();
      await loop;
      await peers.attach(undefined);
      await running?.[Symbol.asyncDispose]();
    },
  };
}

interface RunningDevice extends AsyncDisposable {
  readonly device: WireguardDevice;
  readonly status: LinkStatus & { readonly state: 'up' };
}

/** Peers are set before the port is bound to an address machines know, so the first handshake works. */
async function bringUp(
  options: LinkOptions,
  deps: LinkDeps,
  peers: ReturnType<typeof createLinkPeers>,
): Promise<RunningDevice> {
  const { identity, log, clock } = deps;
  const mode = options.mode === 'off' ? 'auto' : options.mode;
  const name = options.interfaceName ?? 'siderolink';
  await using cleanup = new AsyncDisposableStack();
  const { device, listenPort } = await startWireguard(
    { mode, name, privateKey: identity.privateKey, listenPort: options.listenPort },
    { stateDir: options.stateDir, clock, log },
  );
  cleanup.use(device);
  const { interfaceName, backend } = device;
  await peers.attach(device);
  await configureLinkInterface({ name: interfaceName, address: `${identity.serverAddress}/64` });
  try {
    const { serverAddress } = identity;
    await isolateLink({ name: interfaceName, serverAddress, tcpPorts: LINK_PORTS });
    cleanup.defer(() => removeLinkIsolation(interfaceName));
  } catch (error) {
    log.warn('link.not_isolated', { interfaceName, error: errorText(error) });
  }
  const services = await startLinkServices(options, { ...deps, peers });
  cleanup.use(services);
  const owned = cleanup.move();
  const status = { state: 'up' as const, interfaceName, backend, listenPort, eventSink: services.eventSink };
  return { device, status, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Report link states until the device is lost (the reason) or the signal aborts (undefined). */
async function followDevice(
  running: RunningDevice | undefined,
  deps: Parameters<typeof reportLinkStates>[0],
  signal: AbortSignal,
): Promise<string | undefined> {
  let lost: string | undefined;
  const wake = new AbortController();
  void running?.device.lost.then((reason) => {
    lost = reason;
    wake.abort();
  });
  const until = AbortSignal.any([signal, wake.signal]);
  while (!until.aborted) {
    await reportLinkStates(deps);
    await deps.clock.sleep(REPORT_EVERY_MS, until);
  }
  return signal.aborted ? undefined : lost;
}
