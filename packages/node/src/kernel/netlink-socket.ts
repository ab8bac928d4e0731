import { BloomeryError, type Clock } from '@bloomery/ports';
import {
  decodeNetlinkVerdict,
  eachNetlinkMessage,
  NetlinkBytes,
  type NetlinkMessage,
  type NetlinkVerdict,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
} from '@bloomery/wire';
import { kernelRefused } from './kernel-error.ts';
import { setNetlinkOptions } from './socket-options.ts';

/** Protocols of netlink. */
export const NETLINK_ROUTE = 0;
export const NETLINK_GENERIC = 16;

/** Called for each message that answers a request, or that tells news. What it is given is only good until it returns. */
export type NetlinkListener = (bytes: NetlinkBytes, message: NetlinkMessage) => void;

/** One netlink socket, for requests or for news. Disposing it closes it; requests that wait are refused. */
export interface NetlinkSocket extends Disposable {
  /**
   * Send a request and wait for its end. Requests wait for each other: the kernel answers one after the other.
   *
   * @param what What is done, on what: the beginning of the refusal's message.
   * @returns whether the kernel's lists changed meanwhile, so that a dump must be asked for again.
   * @throws BloomeryError BLM_KERNEL_REFUSED, BLM_KERNEL_UNANSWERED after 20 s
   */
  request(what: string, request: Uint8Array, onAnswer?: NetlinkListener): Promise<boolean>;
  /** Hear the news of a group. */
  join(group: number): void;
}

/** What a socket needs. */
export interface NetlinkSocketDeps {
  readonly protocol: number;
  readonly clock: Clock;
  readonly receiveBufferBytes: number;
  /** Messages that answer no request of this socket. */
  readonly onNews?: (datagram: Uint8Array) => void;
  /** The socket overflowed, or failed otherwise: messages are lost. */
  readonly onLost?: (error: Error) => void;
}

interface Pending {
  readonly onAnswer: NetlinkListener;
  readonly end: (verdict: NetlinkVerdict | BloomeryError, isInterrupted: boolean) => void;
  isInterrupted: boolean;
}

/** Work of the kernel is not ours to hurry: taking a WireGuard device with thousands of peers away is one request. */
const DEADLINE_MS = 20_000;
/** The kernel fills at most 32 KiB at a time. */
const DUMP_BUFFER_BYTES = 64 * 1024;
/** Sequence numbers of requests; news carry those of whoever caused them. */
const SEQUENCE_MAX = 0x7fff_ffff;

/**
 * Open a netlink socket. Reading is done by the npm package `netlink`, which waits in the event loop without a thread.
 *
 * @throws BloomeryError BLM_KERNEL_UNANSWERED where there is no netlink.
 */
export async function openNetlinkSocket(deps: NetlinkSocketDeps): Promise<NetlinkSocket> {
  const { protocol, clock, receiveBufferBytes, onNews, onLost } = deps;
  const raw = await openRaw(protocol, onNews === undefined);
  const { port } = raw.address();
  const lostSoFar = await setNetlinkOptions({ port, receiveBufferBytes });
  if (lostSoFar === undefined) {
    raw.close();
    throw unanswered('setting the options of a netlink socket: there is no FFI for this platform');
  }
  let lost = 0;
  const pending = new Map<number, Pending>();
  let sequence = 0;
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  const answer = (bytes: NetlinkBytes, message: NetlinkMessage): void => {
    const waiting = message.port === port ? pending.get(message.sequence) : undefined;
    if (waiting === undefined) return;
    if ((message.flags & NLM_F_DUMP_INTR) !== 0) waiting.isInterrupted = true;
    if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
      pending.delete(message.sequence);
      waiting.end(decodeNetlinkVerdict(bytes, message), waiting.isInterrupted);
    } else waiting.onAnswer(bytes, message);
  };
  const receive = (datagram: Buffer, from: { readonly port: number }): void => {
    // Only the kernel is believed: any process may send to our port.
    if (from.port !== 0 || isClosed) return;
    if (onNews !== undefined && !isAnswer(datagram, port)) {
      onNews(datagram);
      return;
    }
    try {
      const bytes = new NetlinkBytes(datagram);
      eachNetlinkMessage(bytes, (message) => answer(bytes, message));
    } catch (error) {
      failAll(pending, unanswered('reading the answer of the kernel', error));
    }
  };
  const receiveAndCount = (datagram: Buffer, from: { readonly port: number }): void => {
    receive(datagram, from);
    const before = lost;
    lost = isClosed ? lost : lostSoFar();
    if (lost !== before) lose(new Error(`${lost - before} messages were lost: the buffer was full`));
  };
  const lose = (error: Error): void => {
    failAll(pending, unanswered('reading from the kernel', error));
    onLost?.(error);
  };
  raw.on('message', receiveAndCount);
  raw.on('truncatedMessage', () => lose(new Error('a message was longer than the buffer')));
  raw.on('error', lose);

  const exchange = (what: string, request: Uint8Array, onAnswer: NetlinkListener): Promise<boolean> =>
    new Promise((resolve, reject) => {
      if (isClosed) return reject(unanswered(`${what}: the socket is closed`));
      sequence = sequence === SEQUENCE_MAX ? 1 : sequence + 1;
      const own = sequence;
      const message = Buffer.from(request);
      message.writeUInt32LE(own, 8);
      message.writeUInt32LE(port, 12);
      const cancel = clock.after(DEADLINE_MS, () => {
        pending.delete(own);
        reject(unanswered(`${what}: the kernel gave no answer in ${DEADLINE_MS / 1000} s`));
      });
      const end: Pending['end'] = (verdict, isInterrupted) => {
        cancel();
        if (verdict instanceof BloomeryError) reject(verdict);
        else if (verdict.errno !== 0) reject(kernelRefused(what, verdict));
        else resolve(isInterrupted);
      };
      pending.set(own, { onAnswer, end, isInterrupted: false });
      raw.send(message, {}, (error) => {
        if (error === undefined || !pending.delete(own)) return;
        end({ errno: Math.abs(error.errno), words: '' }, false);
      });
    });
  return {
    request: (what, request, onAnswer = () => {}) => {
      const mine = last.then(() => exchange(what, request, onAnswer));
      last = mine.catch(() => {});
      return mine;
    },
    join: (group) => raw.addMembership(group),
    [Symbol.dispose]: () => {
      if (isClosed) return;
      isClosed = true;
      raw.close();
      failAll(pending, unanswered('the socket to the kernel was closed'));
    },
  };
}

async function openRaw(protocol: number, isForDumps: boolean) {
  try {
    const { default: netlink } = await import('netlink/dist/raw.js');
    const peek = { recvBufferSize: 0, sendBufferSize: 0 };
    // Dumps come in large pieces when the buffer is large; for news, their size is asked first.
    const buffer = { ...peek, messagePeeking: false, msgBufferSize: DUMP_BUFFER_BYTES };
    return new netlink.RawNetlinkSocket(protocol, isForDumps ? buffer : peek);
  } catch (error) {
    throw unanswered('opening a netlink socket', error);
  }
}

/** Whether the datagram begins with a verdict on a request of ours. */
function isAnswer(datagram: Buffer, port: number): boolean {
  return datagram.length >= 16 && datagram.readUInt16LE(4) === NLMSG_ERROR && datagram.readUInt32LE(12) === port;
}

function failAll(pending: Map<number, Pending>, error: BloomeryError): void {
  const all = [...pending.values()];
  pending.clear();
  for (const { end } of all) end(error, false);
}

function unanswered(message: string, cause?: unknown): BloomeryError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new BloomeryError('BLM_KERNEL_UNANSWERED', `${message}${why}`, { retryable: true, cause });
}
