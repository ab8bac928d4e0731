import type { GrpcService } from '@bloomery/grpc';
import type { EventRecorder, ObjectClient, WritableObjectCache } from '@bloomery/kube';
import { type ServerBinding, serverBinding } from '@bloomery/model';
import { type Clock, errorText, hostPort, type Logger, type RandomBytes } from '@bloomery/ports';
import type { LinkIdentity, WireguardMode } from '@bloomery/siderolink';
import type { TimelineRecorder } from '../insight/timeline.ts';
import { bringUpDevice, type RunningDevice } from './bring-up-device.ts';
import { type KeptDevice, keepDevice } from './keep-device.ts';
import type { LinkServicesDeps } from './link-services.ts';
import type { LinkStatus } from './link-status.ts';
import { callPeers } from './peers/call-peers.ts';
import { createLinkLook } from './peers/link-look.ts';
import { createLinkPeers, type LinkPeers } from './peers/link-peers.ts';
import { createLinkView, type LinkView } from './peers/link-view.ts';
import { type LinkStateDeps, reportLinkStates } from './peers/report-link-states.ts';
import { createProvisionService } from './provision/provision-service.ts';
import type { TunnelPolicy } from './provision/tunnel-policy.ts';
import type { JoinTokens } from './tokens/join-tokens.ts';
import { createTunnelService } from './tunnel/tunnel-service.ts';

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
  /** Which machines send WireGuard through gRPC. */
  readonly tunnel: TunnelPolicy;
  /** Call machines at their last known endpoints after a start; true unless given. */
  readonly restoreEndpoints?: boolean;
}

/** What the link needs. */
export interface LinkDeps extends Pick<LinkServicesDeps, 'eventRecords' | 'eventCounts' | 'logStore' | 'logCounts'> {
  /** From loadLinkIdentity. */
  readonly identity: LinkIdentity;
  readonly client: ObjectClient;
  /** From followJoinTokens; absent: tokens of machines are ignored. */
  readonly tokens?: JoinTokens;
  /** Must hold ServerBindings, Servers and MetalMachines. */
  readonly cache: WritableObjectCache;
  readonly events: EventRecorder;
  readonly timeline: TimelineRecorder;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
}

/** The server's end of the link. */
export interface Link extends AsyncDisposable {
  /** For the machine port: `sidero.link.ProvisionService`. */
  readonly provision: GrpcService;
  /** For the machine port: `sidero.link.WireGuardOverGRPCService`. */
  readonly tunnel: GrpcService;
  status(): LinkStatus;
  /** What can be said of device and machines, by the last look. */
  readonly view: LinkView;
}

const DEFAULT_PORT = 51_821;

/**
 * Start the server's end of the link: WireGuard with a peer per ServerBinding, isolation, and what listens on it.
 * A device that cannot be made, or is lost later, is reported by status() and tried again; Provision is answered all the
 * same. Resolves when all bindings are known and the device, where it could be made, has a peer for each.
 */
export async function startLink(options: LinkOptions, deps: LinkDeps): Promise<Link> {
  const { clock, log, identity } = deps;
  await using cleanup = new AsyncDisposableStack();
  const peers = createLinkPeers({
    serverPrivateKey: identity.privateKey,
    restoreEndpoints: options.restoreEndpoints ?? true,
    clock,
    log,
  });
  cleanup.defer(followBindings(peers, deps));
  const listed = await deps.client.list(serverBinding);
  await Promise.all(listed.items.map((binding) => peers.put(binding)));

  const { mode } = options;
  let kept: KeptDevice<RunningDevice> | undefined;
  const tunnel = cleanup.use(
    createTunnelService({ peers, devicePort: () => kept?.current().running?.listenPort, clock, log }),
  );
  kept =
    mode === 'off'
      ? undefined
      : await keepDevice({
          bringUp: () => bringUpDevice({ ...options, mode }, { ...deps, peers }),
          onUp: ({ toCall }, signal) => {
            tunnel.deviceIsUp();
            void callPeers(toCall, { peers, clock, log }, signal);
          },
          onLost: async () => void (await peers.attach(undefined)),
          clock,
          log,
          random: deps.random,
        });
  if (kept !== undefined) cleanup.use(kept);
  const status = (): LinkStatus => statusOf(kept);
  const look = createLinkLook(peers);
  const deviceSinceMs = (): number | undefined => kept?.current().running?.upSinceMs;
  const view = createLinkView({ ...deps, peers, look, deviceSinceMs, status, tunnels: tunnel.counters });
  if (kept !== undefined) cleanup.use(reportUntilDisposed({ ...deps, peers, look, deviceSinceMs }));
  const boundPort = (): number => {
    const now = status();
    return now.state === 'up' ? now.listenPort : options.listenPort || DEFAULT_PORT;
  };
  const owned = cleanup.move();
  return {
    provision: createProvisionService({
      ...deps,
      tunnelPolicy: options.tunnel,
      peers,
      endpoints: (caller) =>
        options.advertise(caller).map(({ host, port }) => hostPort({ host, port: port ?? boundPort() })),
    }),
    tunnel: tunnel.service,
    status,
    view,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Every change of a binding becomes one of the peers. Returns the function that ends it. */
function followBindings(peers: LinkPeers, { cache, log }: LinkDeps): () => void {
  return cache.listen(serverBinding, (object, gone) => {
    const binding = object as ServerBinding;
    const done = gone ? peers.remove(binding) : peers.put(binding);
    // What the device refused is logged where it is repeated.
    done.catch((error) => log.debug('link.peer_failed', { server: object.metadata.name, error: errorText(error) }));
  });
}

function statusOf(kept: KeptDevice<RunningDevice> | undefined): LinkStatus {
  const current = kept?.current();
  if (current === undefined) return { state: 'off' };
  if (current.running === undefined) return { state: 'down', reason: current.reason };
  const { interfaceName, backend, listenPort, eventSink } = current.running;
  const notIsolated = current.running.notIsolated();
  const up = { interfaceName, backend, listenPort, eventSink };
  return { state: 'up', ...up, ...(notIsolated === undefined ? {} : { notIsolated }) };
}

function reportUntilDisposed(deps: LinkStateDeps): AsyncDisposable {
  const stop = new AbortController();
  const done = reportLinkStates(deps, stop.signal);
  return {
    [Symbol.asyncDispose]: () => {
      stop.abort();
      return done;
    },
  };
}
