import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createGrpcClient, createGrpcHandler, type GrpcClient, type RawClientCall } from '@bloomery/grpc';
import { type LogFields, type Logger, silentLog, systemClock } from '@bloomery/ports';
import { createPeerPacketReader, linkTunnelProto } from '@bloomery/wire';
import { createTunnelServer, type TunnelLimits, type TunnelServer } from '../tunnel-server.ts';

/** A UDP socket in WireGuard's place. */
export interface FakeDevice extends AsyncDisposable {
  readonly port: number;
  /** What arrived, as text. */
  readonly heard: string[];
  /** Ports it was heard from, each once. */
  readonly ports: Set<number>;
  send(text: string | Uint8Array, port: number): void;
}

export async function startFakeDevice(): Promise<FakeDevice> {
  const socket: Socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const heard: string[] = [];
  const ports = new Set<number>();
  socket.on('message', (message, { port }) => {
    heard.push(message.length < 100 ? message.toString() : `${message.length} bytes`);
    ports.add(port);
  });
  return {
    port: socket.address().port,
    heard,
    ports,
    send: (text, port) => socket.send(text, port, '127.0.0.1'),
    [Symbol.asyncDispose]: async () => {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

/** The server's end on a port of its own. */
export interface TunnelRig extends AsyncDisposable {
  readonly port: number;
  readonly tunnel: TunnelServer;
  /** Virtual addresses and whose they are. */
  readonly owners: Map<string, string>;
  /** undefined: the device is down. */
  devicePort: number | undefined;
  /** Endpoints that were announced. */
  readonly opened: string[];
  /** Everything that the tunnel logged. */
  readonly logged: string[];
  dial(): GrpcClient;
  /** Take the listener and all connections away. */
  stop(): Promise<void>;
}

export async function startTunnelRig(
  devicePort: number | undefined,
  options: { readonly port?: number; readonly limits?: Partial<TunnelLimits> } = {},
): Promise<TunnelRig> {
  const owners = new Map<string, string>();
  const opened: string[] = [];
  const logged: string[] = [];
  const rig = { devicePort };
  const tunnel = createTunnelServer({
    ownerOf: (address) => owners.get(address),
    devicePort: () => rig.devicePort,
    onSilent: (_address, endpoint) => opened.push(endpoint),
    clock: systemClock,
    log: listLog(logged, {}),
    limits: { callAfterMs: 0, ...options.limits },
  });
  const server = createServer({ settings: { initialWindowSize: 1024 * 1024 } });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', createGrpcHandler([tunnel.service], { log: silentLog, clock: systemClock }));
  await once(server.listen(options.port ?? 0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const session of sessions) session.destroy();
    await closed;
  };
  return Object.assign(rig, {
    port,
    tunnel,
    owners,
    opened,
    logged,
    dial: () => createGrpcClient({ address: { host: '127.0.0.1', port }, clock: systemClock }),
    stop,
    [Symbol.asyncDispose]: async () => {
      tunnel[Symbol.dispose]();
      await stop();
    },
  });
}

function listLog(into: string[], context: LogFields): Logger {
  const line = (event: string, fields?: LogFields): void => {
    into.push(JSON.stringify({ event, ...context, ...fields }));
  };
  const withMore = (fields: LogFields): Logger => listLog(into, { ...context, ...fields });
  return { debug: line, info: line, warn: line, error: line, with: withMore };
}

/** A machine's end by hand. */
export interface RawMachine {
  readonly call: RawClientCall;
  /** What arrived, as text. */
  readonly heard: string[];
  /** Name of the status the call ended with. */
  readonly ended: Promise<unknown>;
}

export function openRawMachine(client: GrpcClient, virtualAddress: string | undefined): RawMachine {
  const metadata = { 'x-siderolink-ipv6-addr': virtualAddress };
  const call = client.open(linkTunnelProto.WireGuardOverGRPCService.method.createStream, { metadata });
  const heard: string[] = [];
  const reader = createPeerPacketReader({
    datagram: (datagram) =>
      heard.push(datagram.length < 100 ? Buffer.from(datagram).toString() : `${datagram.length} bytes`),
    tooLarge: () => {},
  });
  call.stream.on('data', (chunk: Buffer) => reader.push(chunk));
  const ended = call.ended().then(
    () => 'OK',
    (error) => error.facts.status,
  );
  return { call, heard, ended };
}
