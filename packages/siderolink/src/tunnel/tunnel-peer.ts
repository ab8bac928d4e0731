import type { GrpcStatusName, RawCall } from '@bloomery/grpc';
import { type Clock, errorText } from '@bloomery/ports';
import { createPeerPacketReader, type PeerPacketFault } from '@bloomery/wire';
import { isHandshakeInitiation } from './handshake-initiation.ts';
import { type LoopbackSocket, openLoopbackSocket } from './loopback-socket.ts';
import { createPacketWriter } from './packet-writer.ts';
import { widenWindow } from './tunnel-window.ts';

/** What the tunnel of one machine tells its server. */
export interface TunnelPeerEvents {
  /** UDP port of the WireGuard device now. */
  readonly devicePort: () => number | undefined;
  readonly onFromMachine: () => void;
  readonly onToMachine: () => void;
  readonly onDropped: () => void;
  /** WireGuard can call the machine at this endpoint, and must if it wants the link soon: the machine does not call. */
  readonly onSilent: (endpoint: string) => void;
  /** The stream is over and no other took its place. Called once; the socket is closed. */
  readonly onGone: (reason: string) => void;
  /** Time for the machine to call by itself. */
  readonly callAfterMs: number;
  readonly clock: Clock;
}

/** One machine's tunnel: the newest of its gRPC streams, and a UDP socket that WireGuard sees as the machine. */
export interface TunnelPeer {
  /** Use this accepted call from now on; the one before ends with ABORTED. What waits for the machine is kept. */
  take(call: RawCall): void;
  deviceIsUp(): void;
  /** End it; nothing happens when it is gone. */
  end(status: GrpcStatusName, message: string): void;
}

const FAULTS: Readonly<Record<PeerPacketFault, readonly [GrpcStatusName, string]>> = {
  compressed: ['UNIMPLEMENTED', 'compressed messages are not supported'],
  malformed: ['INTERNAL', 'a message is no PeerPacket'],
  'too long': ['RESOURCE_EXHAUSTED', 'a message is longer than 4 MiB'],
};

/** Open the tunnel of a machine with its first call, which must be accepted. */
export function openTunnelPeer(first: RawCall, events: TunnelPeerEvents): TunnelPeer {
  const writer = createPacketWriter(events.onDropped);
  let call = first;
  let socket: LoopbackSocket | undefined;
  let isGone = false;
  let hasCalled = false;
  let cancelCall = (): void => {};

  const leave = (reason: string): void => {
    if (isGone) return;
    isGone = true;
    cancelCall();
    writer.attach(undefined);
    void socket?.[Symbol.asyncDispose]();
    events.onGone(reason);
  };
  const end = (status: GrpcStatusName, message: string): void => {
    call.finish(status, message);
    leave(message);
  };
  const toDevice = (datagram: Uint8Array): void => {
    hasCalled ||= isHandshakeInitiation(datagram);
    const port = events.devicePort();
    if (port !== undefined) socket?.connect(port);
    if (port !== undefined && socket?.send(datagram) === true) events.onFromMachine();
    else events.onDropped();
  };
  const read = (from: RawCall): void => {
    const reader = createPeerPacketReader({ datagram: toDevice, tooLarge: events.onDropped });
    from.stream.on('data', (chunk: Buffer) => {
      const fault = call === from && !isGone ? reader.push(chunk) : undefined;
      if (fault !== undefined) end(...FAULTS[fault]);
    });
    from.stream.once('end', () => {
      if (call === from) end('OK', 'ended by the machine');
    });
    writer.attach(from.stream);
  };
  const take = (next: RawCall): void => {
    if (next !== call) call.finish('ABORTED', 'peer replaced');
    call = next;
    widenWindow(next.stream);
    next.stream.once('close', () => {
      if (call === next) leave('connection lost');
    });
    // Until then HTTP/2 holds what the machine sends.
    if (socket !== undefined) read(next);
  };
  const open = async (): Promise<void> => {
    const opened = await openLoopbackSocket({
      onDatagram: (datagram) => {
        if (opened.peerPort === undefined) return events.onDropped();
        events.onToMachine();
        writer.push(datagram);
      },
      onError: events.onDropped,
    });
    if (isGone) return opened[Symbol.asyncDispose]();
    socket = opened;
    read(call);
    // Two calls that cross cost 5 s: each end forgets its own for the other's, and then does not know the answer.
    cancelCall = events.clock.after(events.callAfterMs, () => {
      if (!hasCalled) deviceIsUp();
    });
  };
  const deviceIsUp = (): void => {
    const port = events.devicePort();
    if (socket === undefined || port === undefined) return;
    socket.connect(port);
    events.onSilent(`127.0.0.1:${socket.port}`);
  };
  take(first);
  open().catch((error: unknown) => end('UNAVAILABLE', `no socket for WireGuard: ${errorText(error)}`));
  return { take, end, deviceIsUp };
}
