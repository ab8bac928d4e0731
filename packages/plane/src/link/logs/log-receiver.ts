import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { type Clock, errorText, type Listen, type Logger, type Service } from '@bloomery/ports';
import type { LinkAnnotations } from '../annotations.ts';
import { canonicalAddress } from '../canonical-address.ts';
import { createLineWriter, type LineWriter } from './annotated-line.ts';
import type { KernelMarks } from './kernel-marks.ts';
import type { LogDrop, WritableLogCounts } from './log-counts.ts';
import type { LogStore } from './log-store.ts';
import { createObjectScanner } from './object-scanner.ts';

/** Bounds of the receiver. */
export interface LogReceiverLimits {
  /** Connections in all; more are closed at once. */
  readonly connections: number;
  /** Connections of one machine: a new one closes the one that was silent for longest, which a machine that restarted has forgotten. */
  readonly connectionsPerMachine: number;
  /** Objects that are not complete yet, of all connections together. */
  readonly incompleteBytes: number;
  /** What a machine may send in a second for ever, and at once after it was silent; what is more is dropped and counted. */
  readonly bytesPerSecond: number;
  readonly burstBytes: number;
  /** How long connections are read on when the receiver stops. */
  readonly drainMs: number;
}

/** The bounds unless others are given. The rate is some 50,000 lines a second: it stops a machine gone wild, nothing else. */
export const LOG_RECEIVER_LIMITS: LogReceiverLimits = {
  connections: 20_000,
  connectionsPerMachine: 16,
  incompleteBytes: 64 * 1024 * 1024,
  bytesPerSecond: 16 * 1024 * 1024,
  burstBytes: 512 * 1024 * 1024,
  drainMs: 250,
};

const KEEPALIVE_MS = 60_000;
const WARN_EVERY_MS = 60_000;

/** What the receiver needs. */
export interface LogReceiverDeps {
  readonly annotations: LinkAnnotations;
  readonly store: Pick<LogStore, 'write' | 'drained'>;
  readonly counts: WritableLogCounts;
  /** Sees the lines of machines; nothing unless given. */
  readonly marks?: KernelMarks;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<LogReceiverLimits>;
}

/** What all connections of one address share. */
interface Sender {
  readonly address: string;
  /** Silent for longest first. */
  readonly sockets: Set<Socket>;
  /** Bytes that may still be sent, as of `filledMs`. */
  allowance: number;
  filledMs: number;
  warnedMs: number;
  droppedSince: number;
}

interface Receiver {
  readonly deps: LogReceiverDeps;
  readonly limits: LogReceiverLimits;
  readonly senders: Map<string, Sender>;
  readonly stopping: { now: boolean };
  /** Bytes of incomplete objects. */
  held: number;
}

/**
 * Receive kernel logs: streams of JSON objects over TCP, encrypted and authenticated by the link. The source address says whose
 * they are. A socket is not read while the store cannot keep up. Idle connections stay; dead ones are found by TCP keepalive.
 */
export async function startLogReceiver(listen: Listen, deps: LogReceiverDeps): Promise<Service> {
  const limits = { ...LOG_RECEIVER_LIMITS, ...deps.limits };
  const receiver: Receiver = { deps, limits, senders: new Map(), stopping: { now: false }, held: 0 };
  const server = createServer({ keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS, noDelay: true }, (socket) =>
    receive(receiver, socket),
  );
  server.maxConnections = limits.connections;
  server.on('drop', () => {
    deps.counts.refusedConnections += 1;
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, () => resolve());
  });
  server.on('error', (error) => deps.log.warn('link.log_receiver_error', { error: errorText(error) }));
  const { address, port } = server.address() as AddressInfo;
  return {
    address: { host: address, port },
    [Symbol.asyncDispose]: async () => {
      receiver.stopping.now = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const sockets = [...receiver.senders.values()].flatMap((sender) => [...sender.sockets]);
      // What is on its way is still read; who goes on sending is cut off.
      for (const socket of sockets) socket.end();
      await Promise.race([closed, deps.clock.sleep(limits.drainMs)]);
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** The address of a sender as machines have it, without zone; empty when its connection is gone already. */
export function senderAddress(remoteAddress: string | undefined): string {
  return canonicalAddress((remoteAddress ?? '').replace(/%.*$/, '')) ?? '';
}

function receive(receiver: Receiver, socket: Socket): void {
  const { deps, limits, stopping } = receiver;
  const address = senderAddress(socket.remoteAddress);
  if (address === '' || stopping.now) {
    socket.destroy();
    return;
  }
  const sender = senderOf(receiver, address);
  if (sender.sockets.size >= limits.connectionsPerMachine) {
    const [oldest] = sender.sockets;
    deps.counts.refusedConnections += 1;
    oldest?.destroy();
    if (oldest !== undefined) sender.sockets.delete(oldest);
  }
  sender.sockets.add(socket);
  deps.counts.connections += 1;
  const stream = createStream(receiver, sender);
  socket.on('data', (chunk) => {
    sender.sockets.delete(socket);
    sender.sockets.add(socket);
    if (stream.push(chunk)) return;
    socket.pause();
    void deps.store.drained().then(() => socket.resume());
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    stream.end();
    deps.counts.connections -= 1;
    sender.sockets.delete(socket);
  });
}

function senderOf(receiver: Receiver, address: string): Sender {
  const { senders, limits, deps } = receiver;
  const have = senders.get(address);
  if (have !== undefined) return have;
  if (senders.size >= 2 * limits.connections) {
    for (const [name, sender] of senders) if (sender.sockets.size === 0) senders.delete(name);
  }
  const filledMs = deps.clock.nowMs();
  const sender: Sender = {
    address,
    sockets: new Set(),
    allowance: limits.burstBytes,
    filledMs,
    warnedMs: Number.NEGATIVE_INFINITY,
    droppedSince: 0,
  };
  senders.set(address, sender);
  return sender;
}

/** One connection's stream; `push` says false when the store wants its writers to wait. */
function createStream(receiver: Receiver, sender: Sender) {
  const { deps, limits } = receiver;
  const { annotations, store, counts, marks } = deps;
  let annotation = annotations.at(sender.address);
  let writer: LineWriter = createLineWriter(annotation);
  let isAllowed = true;
  let fits = true;

  const drop = (reason: LogDrop): void => {
    counts.dropped[reason] += 1;
    warn(receiver, sender, reason);
  };
  const take = (line: string | undefined): boolean => {
    if (line === undefined) return false;
    if (!isAllowed) {
      drop('rate');
      return true;
    }
    counts.lines += 1;
    const server = annotation?.server_uuid;
    if (!store.write(line, server)) fits = false;
    if (server !== undefined) marks?.see(server, line);
    return true;
  };
  const scanner = createObjectScanner({
    object(bytes) {
      if (!take(writer.lineOf(bytes))) drop('malformed');
    },
    line: (bytes, from, to) => take(writer.lineOfPlain(bytes, from, to)),
    dropped: drop,
    hold(byBytes) {
      if (byBytes > 0 && receiver.held + byBytes > limits.incompleteBytes) return false;
      receiver.held += byBytes;
      return true;
    },
  });
  return {
    push(chunk: Buffer): boolean {
      const now = annotations.at(sender.address);
      if (now !== annotation) writer = createLineWriter(now);
      annotation = now;
      isAllowed = spend(sender, chunk.length, limits, deps.clock.nowMs());
      fits = true;
      scanner.push(chunk);
      return fits;
    },
    end: () => scanner.end(),
  };
}

/** Whether the sender may still send so much. The stream is read all the same, so that it stays in step. */
function spend(sender: Sender, bytes: number, limits: LogReceiverLimits, nowMs: number): boolean {
  const gained = (Math.max(0, nowMs - sender.filledMs) / 1000) * limits.bytesPerSecond;
  sender.allowance = Math.min(limits.burstBytes, sender.allowance + gained);
  sender.filledMs = nowMs;
  if (sender.allowance < bytes) return false;
  sender.allowance -= bytes;
  return true;
}

/** Once a minute for each machine, however many connections it makes. */
function warn({ deps }: Receiver, sender: Sender, reason: LogDrop): void {
  sender.droppedSince += 1;
  const nowMs = deps.clock.nowMs();
  if (reason === 'incomplete' || nowMs - sender.warnedMs < WARN_EVERY_MS) return;
  const { address, droppedSince: dropped } = sender;
  const server = deps.annotations.at(address)?.server_uuid;
  deps.log.warn('link.log_dropped', { ...(server === undefined ? {} : { server }), address, reason, dropped });
  sender.warnedMs = nowMs;
  sender.droppedSince = 0;
}
