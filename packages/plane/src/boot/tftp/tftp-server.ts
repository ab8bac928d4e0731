import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type Clock, errorText, type Listen, type Logger, type Service } from '@bloomery/ports';
import {
  decodeTftp,
  encodeTftp,
  TFTP_ERROR,
  type TftpOptions,
  type TftpPacket,
  type TftpRequest,
} from '@bloomery/wire';
import type { Asset } from '../asset-cache.ts';
import type { BootFiles } from '../boot-files.ts';
import type { BootMarks } from '../boot-marks.ts';
import type { Neighbour } from '../neighbours.ts';
import { negotiateTftp } from './tftp-negotiation.ts';
import { startTftpTransfer, type TftpOutcome, type TftpTransfer } from './tftp-transfer.ts';

/** What the TFTP server needs. */
export interface TftpServerDeps {
  readonly files: BootFiles;
  readonly marks: BootMarks;
  readonly log: Logger;
  readonly clock: Clock;
  /** Who is behind an address, for the timeline. */
  readonly whoIs: (address: string) => Neighbour;
  /** Transfers at the same time: 1024, and 512 of one address, unless given. Requests above are dropped; the client asks again. */
  readonly limits?: { readonly sessions?: number; readonly sessionsPerAddress?: number };
}

interface Session {
  readonly from: RemoteInfo;
  readonly file: string;
  readonly startedMs: number;
  transfer?: TftpTransfer;
}

const TICK_MS = 250;
const SOCKET_BUFFER_BYTES = 1_048_576;
const NAME_SHOWN_MAX = 128;

/**
 * Read-only TFTP from one UDP port: answers leave from the port that was asked. Sessions are kept by client address and port;
 * rubbish is dropped; nothing that a client sends ends the process.
 *
 * @throws when the address cannot be bound
 */
export async function startTftpServer(listen: Listen, deps: TftpServerDeps): Promise<Service> {
  const socket = createSocket({
    type: listen.host.includes(':') ? 'udp6' : 'udp4',
    recvBufferSize: SOCKET_BUFFER_BYTES,
    sendBufferSize: SOCKET_BUFFER_BYTES,
    lookup: (address, _options, callback) => callback(null, address, address.includes(':') ? 6 : 4),
  });
  const listening = once(socket, 'listening');
  socket.bind(listen.port, listen.host);
  await listening;
  const server = createServer(socket, deps);
  socket.on('message', server.receive);
  socket.on('error', (error) => deps.log.warn('tftp.socket_error', { error: errorText(error) }));
  const { port } = socket.address();
  deps.log.info('tftp.listening', { host: listen.host, port });
  return {
    address: { host: listen.host, port },
    [Symbol.asyncDispose]: async () => {
      server.stop();
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

function createServer(
  socket: Socket,
  deps: TftpServerDeps,
): { receive(p: Uint8Array, from: RemoteInfo): void; stop(): void } {
  const { clock, log } = deps;
  const sessionsMax = deps.limits?.sessions ?? 1_024;
  const perAddressMax = deps.limits?.sessionsPerAddress ?? 512;
  const sessions = new Map<string, Session>();
  const perAddress = new Map<string, number>();
  let cancelTick: (() => void) | undefined;

  const tick = (): void => {
    for (const { transfer } of sessions.values()) transfer?.tick();
    cancelTick = sessions.size > 0 ? clock.after(TICK_MS, tick) : undefined;
  };
  const drop = (key: string, session: Session): void => {
    if (sessions.get(key) !== session) return;
    sessions.delete(key);
    const left = (perAddress.get(session.from.address) ?? 1) - 1;
    if (left > 0) perAddress.set(session.from.address, left);
    else perAddress.delete(session.from.address);
  };
  const begin = (key: string, request: TftpRequest, from: RemoteInfo): void => {
    const before = sessions.get(key);
    if (before !== undefined) {
      before.transfer?.stop('aborted');
      drop(key, before);
    }
    const mine = perAddress.get(from.address) ?? 0;
    if (sessions.size >= sessionsMax || mine >= perAddressMax) {
      log.debug('tftp.busy', { address: from.address, sessions: sessions.size });
      return;
    }
    const session: Session = { from, file: request.file, startedMs: clock.nowMs() };
    sessions.set(key, session);
    perAddress.set(from.address, mine + 1);
    cancelTick ??= clock.after(TICK_MS, tick);
    deps.files.open(request.file).then(
      (asset) => serve(key, session, request.options, asset),
      (error: unknown) => {
        log.warn('tftp.open_failed', { file: request.file.slice(0, NAME_SHOWN_MAX), error: errorText(error) });
        refuse(key, session, TFTP_ERROR.UNDEFINED, 'the file cannot be read');
      },
    );
  };
  const refuse = (key: string, session: Session, code: number, message: string): void => {
    if (sessions.get(key) === session) sendError(socket, session.from, code, message);
    drop(key, session);
  };
  const serve = (key: string, session: Session, options: TftpOptions, asset: Asset | undefined): void => {
    if (sessions.get(key) !== session) {
      asset?.close();
      return;
    }
    if (asset === undefined) {
      markEnd(deps, session, 'missing');
      refuse(key, session, TFTP_ERROR.NOT_FOUND, 'file not found');
      return;
    }
    session.transfer = startTftpTransfer({
      asset,
      terms: negotiateTftp(options, asset.sizeBytes),
      send: (packet) => sendTo(socket, session.from, packet),
      nowMs: clock.nowMs,
      onEnd: (outcome) => {
        drop(key, session);
        markEnd(deps, session, outcome, asset.sizeBytes);
      },
    });
  };

  return {
    receive: (bytes, from) => {
      const key = `${from.address} ${from.port}`;
      const transfer = sessions.get(key)?.transfer;
      const packet = decodeOrDrop(bytes);
      if (packet === undefined || from.port === 0) return;
      if (packet.type === 'ack' && transfer !== undefined) return transfer.acknowledge(packet.block);
      if (packet.type === 'error') return transfer?.stop('aborted');
      if (packet.type === 'read') {
        if (packet.mode === 'octet' || packet.mode === 'netascii') return begin(key, packet, from);
        return sendError(socket, from, TFTP_ERROR.ILLEGAL, 'only octet mode is served');
      }
      if (packet.type === 'write') return sendError(socket, from, TFTP_ERROR.ACCESS, 'nothing can be written here');
      if (!sessions.has(key)) sendError(socket, from, TFTP_ERROR.UNKNOWN_TID, 'no transfer with this port');
    },
    stop: () => {
      cancelTick?.();
      for (const { transfer } of [...sessions.values()]) transfer?.stop('aborted');
      sessions.clear();
    },
  };
}

function decodeOrDrop(bytes: Uint8Array): TftpPacket | undefined {
  try {
    return decodeTftp(bytes);
  } catch {
    return undefined;
  }
}

function sendError(socket: Socket, to: RemoteInfo, code: number, message: string): void {
  sendTo(socket, to, encodeTftp({ type: 'error', code, message }));
}

/** Losses on the way out are mended by retransmission, as those on the network. */
function sendTo(socket: Socket, to: RemoteInfo, packet: Uint8Array): void {
  try {
    socket.send(packet, 0, packet.byteLength, to.port, to.address);
  } catch {
    // The socket is closed: the transfer ends with it.
  }
}

function markEnd(deps: TftpServerDeps, session: Session, outcome: TftpOutcome | 'missing', sizeBytes = 0): void {
  const { address } = session.from;
  const file = session.file.slice(0, NAME_SHOWN_MAX);
  const { ackedBlocks = 0, retries = 0 } = session.transfer?.progress() ?? {};
  const tookMs = deps.clock.nowMs() - session.startedMs;
  // Many ROMs ask for the size first and give up: not worth a mark.
  if (outcome === 'aborted' && ackedBlocks === 0) return;
  const good = outcome === 'complete';
  deps.marks.mark({
    about: { address, ...deps.whoIs(address) },
    stage: 'Tftp',
    severity: good ? 'info' : 'warning',
    event: good ? 'TftpServed' : outcome === 'missing' ? 'TftpNotFound' : 'TftpStopped',
    summary: good ? `TFTP ${file}` : `TFTP ${file}: ${outcome}`,
    facts: { file, outcome, sizeBytes, ackedBlocks, retries },
    durationMs: tookMs,
  });
}
