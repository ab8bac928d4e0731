import { type GrpcClient, grpcStatusOf } from '@bloomery/grpc';
import {
  type BoundAddress,
  backOffMs,
  type Clock,
  errorText,
  fraction,
  hostPort,
  type Logger,
  type RandomBytes,
} from '@bloomery/ports';
import { createPeerPacketReader, linkTunnelProto } from '@bloomery/wire';
import { isHandshakeInitiation } from './handshake-initiation.ts';
import { createPacketWriter } from './packet-writer.ts';
import { VIRTUAL_ADDRESS_HEADER } from './tunnel-server.ts';
import { widenWindow } from './tunnel-window.ts';
import { openWireguardEnd } from './wireguard-end.ts';

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
  /** Spreads reconnections. */
  readonly random: RandomBytes;
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

const METHOD = linkTunnelProto.WireGuardOverGRPCService.method.createStream;
const CONNECT_TIMEOUT_MS = 15_000;
/** A connection that lasted so long was a good one: the next is tried soon. */
const STEADY_MS = 30_000;
const RETRY = { firstMs: 2_000, maxMs: 5_000 };
/** Calls of WireGuard (one every 5 s) without any answer, after which the connection counts as dead. */
const UNANSWERED_MAX = 4;

/**
 * Start a relay between WireGuard on this host and the server's tunnel service. It connects again by itself, after 1 to 5 s,
 * until the server says that another relay took over or that the virtual address is not allowed. In both directions 100
 * datagrams wait. What the server sends before WireGuard has spoken is held.
 *
 * @throws the system's error when no local port is free; nothing else.
 * @see spec/siderolink.md section 7
 */
export async function startTunnelRelay(options: TunnelRelayOptions, deps: TunnelRelayDeps): Promise<TunnelRelay> {
  const stats = { connected: false, connections: 0, sent: 0, received: 0, dropped: 0 };
  const drop = (): void => {
    stats.dropped += 1;
  };
  const writer = createPacketWriter(drop);
  const stop = new AbortController();
  let unanswered = 0;
  let giveUp = (): void => {};

  const wireguard = await openWireguardEnd({
    onDatagram: (datagram) => {
      stats.sent += 1;
      writer.push(datagram);
      if (isHandshakeInitiation(datagram) && ++unanswered === UNANSWERED_MAX) giveUp();
    },
    onDelivered: () => {
      stats.received += 1;
    },
    onDropped: drop,
  });
  const receive = (datagram: Uint8Array): void => {
    unanswered = 0;
    wireguard.deliver(datagram);
  };
  const connectOnce = async (): Promise<void> => {
    const client = options.dial();
    // Not the call's own cancel: that waits for a connection.
    giveUp = () => client.close();
    const cancelTimeout = deps.clock.after(CONNECT_TIMEOUT_MS, giveUp);
    try {
      const metadata = { [VIRTUAL_ADDRESS_HEADER]: options.virtualAddress };
      const { stream, ended } = client.open(METHOD, { metadata });
      const ready = (): void => {
        cancelTimeout();
        widenWindow(stream);
        stats.connected = true;
        stats.connections += 1;
        unanswered = 0;
        writer.attach(stream);
      };
      if (stream.pending) stream.once('ready', ready);
      else ready();
      const reader = createPeerPacketReader({ datagram: receive, tooLarge: drop });
      stream.on('data', (chunk: Buffer) => {
        if (reader.push(chunk) !== undefined) giveUp();
      });
      await ended();
    } finally {
      cancelTimeout();
      stats.connected = false;
      writer.attach(undefined);
      client.close();
    }
  };
  stop.signal.addEventListener('abort', () => giveUp());
  const ended = keepConnected(connectOnce, deps, stop.signal);
  return {
    endpoint: hostPort({ host: '127.0.0.1', port: wireguard.port }),
    address: { host: '127.0.0.1', port: wireguard.port },
    ended,
    stats: () => ({ ...stats }),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await ended;
      await wireguard[Symbol.asyncDispose]();
    },
  };
}

/** Connect until a terminal status or the signal. */
async function keepConnected(
  connectOnce: () => Promise<void>,
  { clock, log, random }: TunnelRelayDeps,
  signal: AbortSignal,
): Promise<TunnelEnd> {
  for (let failures = 0; ; failures++) {
    const sinceMs = clock.nowMs();
    const error = await connectOnce().catch((cause: unknown) => cause);
    if (signal.aborted) return { reason: 'closed', message: 'closed by this side' };
    const message = error === undefined ? 'ended by the server' : errorText(error);
    const status = grpcStatusOf(error);
    if (status === 'ABORTED' || status === 'PERMISSION_DENIED') return { reason: status, message };
    if (clock.nowMs() - sinceMs >= STEADY_MS) failures = 0;
    const retryMs = backOffMs(failures + 1, RETRY, () => fraction(random));
    log[failures === 0 ? 'warn' : 'debug']('tunnel.disconnected', { error: message, retryMs });
    await clock.sleep(retryMs, signal);
    if (signal.aborted) return { reason: 'closed', message: 'closed by this side' };
  }
}
