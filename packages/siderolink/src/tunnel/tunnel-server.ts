import { type GrpcService, grpcError, methodPath, type RawCall } from '@bloomery/grpc';
import { type Clock, hostPort, type Logger } from '@bloomery/ports';
import { linkTunnelProto } from '@bloomery/wire';
import { openTunnelPeer, type TunnelPeer } from './tunnel-peer.ts';
import { parseVirtualAddress } from './virtual-address.ts';

/** What the tunnel service needs. */
export interface TunnelServerDeps {
  /** Name of the machine that a virtual address (as `virtualAddress` writes it) belongs to; undefined: nobody may use it. */
  readonly ownerOf: (virtualAddress: string) => string | undefined;
  /** UDP port of the WireGuard device on 127.0.0.1 now; undefined while it is down. */
  readonly devicePort: () => number | undefined;
  /**
   * WireGuard can call a machine at this endpoint (`127.0.0.1:PORT`). Called for an open tunnel whose machine did not call
   * by itself, as one that is linked still, for all it knows; and for all tunnels by deviceIsUp.
   */
  readonly onSilent?: (virtualAddress: string, endpoint: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<TunnelLimits>;
}

/** Bounds of the tunnel service. */
export interface TunnelLimits {
  /** Machines with an open stream; 16384 unless given. */
  readonly streams: number;
  /** Time for a machine to call before onSilent; 250 ms unless given. */
  readonly callAfterMs: number;
}

/** Totals since the start; `streams` is now. */
export interface TunnelCounters {
  readonly streams: number;
  readonly opened: number;
  /** Streams that were not let in, for any reason. */
  readonly refused: number;
  /** Streams that ended because the machine opened another one. */
  readonly replaced: number;
  /** Datagrams that went on to WireGuard, and to machines. */
  readonly fromMachines: number;
  readonly toMachines: number;
  /** Datagrams that were not carried on: too large, WireGuard was down, or the machine did not read them in time. */
  readonly dropped: number;
}

/** Counters before anything happened. */
export const NO_TUNNELS: TunnelCounters = {
  streams: 0,
  opened: 0,
  refused: 0,
  replaced: 0,
  fromMachines: 0,
  toMachines: 0,
  dropped: 0,
};

/** The server's end of all tunnels: for each machine a gRPC stream on one side, a UDP socket to WireGuard on the other. */
export interface TunnelServer extends Disposable {
  /** `sidero.link.WireGuardOverGRPCService`, for a handler beside the others of the machine port. */
  readonly service: GrpcService;
  /** End the stream of a virtual address that was taken away. Nothing happens when there is none. */
  revoke(virtualAddress: string): void;
  /** The device is there, again or with another port. */
  deviceIsUp(): void;
  counters(): TunnelCounters;
}

/** Request metadata in which a machine says its virtual address; `[v6]:port`. */
export const VIRTUAL_ADDRESS_HEADER = 'x-siderolink-ipv6-addr';

const DEFAULT_LIMITS: TunnelLimits = { streams: 16_384, callAfterMs: 250 };

/**
 * Make the service that carries WireGuard inside gRPC. Each machine has one stream; a newer one with the same virtual
 * address replaces it (ABORTED). Towards a machine 100 datagrams wait, then the oldest is dropped; from a machine HTTP/2 holds
 * back what cannot be taken.
 *
 * @see spec/siderolink.md section 7
 */
export function createTunnelServer(deps: TunnelServerDeps): TunnelServer {
  const limits = { ...DEFAULT_LIMITS, ...deps.limits };
  const peers = new Map<string, TunnelPeer>();
  const counts = { ...NO_TUNNELS };

  /** Let a call in or throw the status it ends with. */
  const admit = (call: RawCall): { readonly address: string; readonly owner: string } => {
    const text = call.context.metadata[VIRTUAL_ADDRESS_HEADER];
    const address = text === undefined ? undefined : parseVirtualAddress(text);
    if (address === undefined) {
      throw grpcError('INVALID_ARGUMENT', `metadata ${VIRTUAL_ADDRESS_HEADER} is not an address and a port`);
    }
    const owner = deps.ownerOf(address);
    if (owner === undefined) throw grpcError('PERMISSION_DENIED', 'peer not allowed');
    if (deps.devicePort() === undefined) throw grpcError('UNAVAILABLE', 'WireGuard is down on the server');
    if (peers.size >= limits.streams && !peers.has(address)) {
      throw grpcError('RESOURCE_EXHAUSTED', `${limits.streams} tunnels are open`);
    }
    return { address, owner };
  };
  const openPeer = (address: string, log: Logger, call: RawCall): TunnelPeer =>
    openTunnelPeer(call, {
      devicePort: deps.devicePort,
      onFromMachine: () => {
        counts.fromMachines += 1;
      },
      onToMachine: () => {
        counts.toMachines += 1;
      },
      onDropped: () => {
        counts.dropped += 1;
      },
      onSilent: (endpoint) => deps.onSilent?.(address, endpoint),
      callAfterMs: limits.callAfterMs,
      clock: deps.clock,
      onGone: (reason) => {
        peers.delete(address);
        log.info('tunnel.closed', { reason });
      },
    });
  const open = (call: RawCall): void => {
    let admitted: ReturnType<typeof admit>;
    try {
      admitted = admit(call);
    } catch (error) {
      counts.refused += 1;
      throw error;
    }
    const { address, owner } = admitted;
    call.accept();
    counts.opened += 1;
    const have = peers.get(address);
    const log = deps.log.with({ server: owner, from: hostPort(call.context.peer) });
    if (have === undefined) {
      peers.set(address, openPeer(address, log, call));
      log.info('tunnel.opened');
    } else {
      counts.replaced += 1;
      have.take(call);
      log.info('tunnel.replaced');
    }
  };
  const path = methodPath(linkTunnelProto.WireGuardOverGRPCService.method.createStream);
  return {
    service: { name: linkTunnelProto.WireGuardOverGRPCService.typeName, methods: [{ path, open }] },
    revoke: (virtualAddress) => peers.get(virtualAddress)?.end('PERMISSION_DENIED', 'peer not allowed'),
    deviceIsUp: () => {
      for (const peer of peers.values()) peer.deviceIsUp();
    },
    counters: () => ({ ...counts, streams: peers.size }),
    [Symbol.dispose]: () => {
      for (const peer of [...peers.values()]) peer.end('UNAVAILABLE', 'the server stops');
    },
  };
}
