import type { GrpcService } from '@bloomery/grpc';
import { type Clock, errorText, type Logger } from '@bloomery/ports';
import { createTunnelServer, type TunnelCounters, type TunnelLimits } from '@bloomery/siderolink';
import type { LinkPeers } from '../peers/link-peers.ts';

/** What carrying tunnels needs. */
export interface TunnelServiceDeps {
  readonly peers: Pick<LinkPeers, 'serverWithVirtualAddress' | 'onRevoked' | 'get' | 'call'>;
  /** Bound UDP port of the device; undefined while it is down. */
  readonly devicePort: () => number | undefined;
  readonly clock: Clock;
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
 * deleted or the mode switched. A machine that was linked, comes back and does not call by itself is called through
 * its stream, so that a restart of the plane costs no more than the reconnection.
 */
export function createTunnelService({ peers, devicePort, clock, log, limits }: TunnelServiceDeps): TunnelService {
  const caller = createCaller(peers, log);
  const tunnel = createTunnelServer({
    ownerOf: (virtualAddress) => peers.serverWithVirtualAddress(virtualAddress),
    devicePort,
    onSilent: (virtualAddress, endpoint) => {
      const member = peers.get(peers.serverWithVirtualAddress(virtualAddress) ?? '');
      // One that was never linked calls by itself.
      if (member?.peer !== undefined && member.wasUp) caller(member.peer.publicKey, endpoint);
    },
    clock,
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
