import type { GrpcClient } from '@bloomery/grpc';
import type { BoundAddress, Clock, Logger } from '@bloomery/ports';

/** Which tunnel a relay keeps open. */
export interface TunnelRelayOptions {
  /** `grpc_peer_addr_port` of the Provision answer. Never logged. */
  readonly virtualAddress: string;
  /** A new client of the tunnel's server for each connection, so that names and proxies are looked at anew. The relay closes it. */
  readonly dial: () => GrpcClient;
}

/** What a relay needs. */
export interface TunnelRelayDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 to below 1: spreads reconnections. */
  readonly random: () => number;
}

/** Why a relay gave up for good. The caller starts another after 5 s, or provisions again. */
export interface TunnelEnd {
  /** ABORTED: another relay took this virtual address over. PERMISSION_DENIED: the server does not know it (any more). */
  readonly reason: 'ABORTED' | 'PERMISSION_DENIED' | 'closed';
  readonly message: string;
}

/** How a relay is doing. */
export interface TunnelRelayStats {
  readonly connected: boolean;
  /** Streams that were opened, the first included. */
  readonly connections: number;
  readonly sent: number;
  readonly received: number;
  readonly dropped: number;
}

/** WireGuard's way to the server through gRPC. Disposing it closes socket and connection. */
export interface TunnelRelay extends AsyncDisposable {
  /** `127.0.0.1:PORT`: the endpoint of the WireGuard peer. */
  readonly endpoint: string;
  readonly address: BoundAddress;
  /** Resolves when the relay gave up or was disposed. Never rejects. */
  readonly ended: Promise<TunnelEnd>;
  stats(): TunnelRelayStats;
}

/** Start a relay between WireGuard on this host and the server's tunnel service. Fails only when no local port is free. */
export type StartTunnelRelay = (options: TunnelRelayOptions, deps: TunnelRelayDeps) => Promise<TunnelRelay>;
