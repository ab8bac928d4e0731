import type { GrpcService } from '@bloomery/grpc';
import type { Clock, Logger } from '@bloomery/ports';

/** What the tunnel service needs. */
export interface TunnelServerDeps {
  /** Name of the machine that a virtual address (as `virtualAddress` writes it) belongs to; undefined: nobody may use it. */
  readonly ownerOf: (virtualAddress: string) => string | undefined;
  /** UDP port of the WireGuard device on 127.0.0.1 now; undefined while it is down. */
  readonly devicePort: () => number | undefined;
  /**
   * Called when a machine's stream is open: from now on WireGuard reaches it at this endpoint (`127.0.0.1:PORT`). Whoever
   * wants the first packet to be the server's sets it.
   */
  readonly onOpened?: (virtualAddress: string, endpoint: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<TunnelLimits>;
}

/** Bounds of the tunnel service. */
export interface TunnelLimits {
  /** Machines with an open stream; 16384 unless given. */
  readonly streams: number;
}

/** Totals since the start; `streams` is now. */
export interface TunnelCounters {
  readonly streams: number;
  readonly opened: number;
  readonly refused: number;
  readonly replaced: number;
  readonly fromMachines: number;
  readonly toMachines: number;
  /** Datagrams that were not carried on: too large, or nobody read them in time. */
  readonly dropped: number;
}

/** The server's end of all tunnels: for each machine a gRPC stream on one side, a UDP socket to WireGuard on the other. */
export interface TunnelServer extends AsyncDisposable {
  /** `sidero.link.WireGuardOverGRPCService`, for a handler beside the others of the machine port. */
  readonly service: GrpcService;
  /** End the stream of a virtual address that was taken away. Nothing happens when there is none. */
  revoke(virtualAddress: string): void;
  counters(): TunnelCounters;
}
