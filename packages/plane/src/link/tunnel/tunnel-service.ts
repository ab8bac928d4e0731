import type { GrpcService } from '@bloomery/grpc';
import { errorText, type Logger } from '@bloomery/ports';
import { createTunnelServer, type TunnelCounters, type TunnelLimits } from '@bloomery/siderolink';
import type { LinkPeers } from '../peers/link-peers.ts';

/** What carrying tunnels needs. */
export interface TunnelServiceDeps {
  readonly peers: Pick<LinkPeers, 'serverWithVirtualAddress' | 'onRevoked' | 'get' | 'call'>;
  /** Bound UDP port of the device; undefined while it is down. */
  readonly devicePort: () => number | undefined;
  readonly log: Logger;
  readonly limits?: Partial<TunnelLimits>;
}

/** The tunnels of the link's machines. Disposing it ends them all. */
export interface TunnelService extends Disposable {
  /** For the machine port: `sidero.link.WireGuardOverGRPCService`. */
  readonly service: GrpcService;
  /** There is a device again: it calls the machines of all open tunnels. */
  deviceIsUp(): void;
  counters(): TunnelCounters;
}

/**
 * Carry WireGuard inside gRPC for machines whose bindings say so: their streams end when the key is rotated, the binding
 * deleted or the mode switched. When a stream is open the device calls the machine through it, so that a machine that
 * comes back after a restart of the plane is linked at once.
 */
export function createTunnelService({ peers, devicePort, log, limits }: TunnelServiceDeps): TunnelService {
  const caller = createCaller(peers, log);
  const tunnel = createTunnelServer({
    ownerOf: (virtualAddress) => peers.serverWithVirtualAddress(virtualAddress),
    devicePort,
    onReachable: (virtualAddress, endpoint) => {
      const server = peers.serverWithVirtualAddress(virtualAddress) ?? '';
      const publicKey = peers.get(server)?.peer?.publicKey;
      if (publicKey !== undefined) caller(publicKey, endpoint);
    },
    log,
    ...(limits === undefined ? {} : { limits }),
  });
  const forget = peers.onRevoked((virtualAddress) => tunnel.revoke(virtualAddress));
  return {
    service: tunnel.service,
    deviceIsUp: tunnel.deviceIsUp,
    counters: tunnel.counters,
    [Symbol.dispose]: () => {
      forget();
      tunnel[Symbol.dispose]();
    },
  };
}

/** Call machines at new endpoints; those that come while the device is busy are one request. */
function createCaller(peers: Pick<LinkPeers, 'call'>, log: Logger): (publicKey: string, endpoint: string) => void {
  let waiting = new Map<string, string>();
  let isBusy = false;
  const work = async (): Promise<void> => {
    while (waiting.size > 0) {
      const batch = waiting;
      waiting = new Map();
      await peers.call([...batch.keys()], batch).catch((error: unknown) => {
        log.debug('tunnel.not_called', { machines: batch.size, error: errorText(error) });
      });
    }
    isBusy = false;
  };
  return (publicKey, endpoint) => {
    waiting.set(publicKey, endpoint);
    if (isBusy) return;
    isBusy = true;
    void work();
  };
}
