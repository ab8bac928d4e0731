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

/** A socket that is asked only. */
export type NetlinkRequests = Pick<NetlinkSocket, 'request'>;

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
  const { protocol, receiveBufferBytes, onNews } = deps;
  const raw = await openRaw(protocol, onNews === undefined);
  const { port } = raw.address();
  const lostSoFar = await setNetlinkOptions({ port, receiveBufferBytes });
  if (lostSoFar !== undefined) return new Socket(raw, { ...deps, port, lostSoFar });
  raw.close();
  throw unanswered('setting the options of a netlink socket: there is no FFI for this platform');
}

type RawSocket = Awaited<ReturnType<typeof openRaw>>;

interface SocketDeps extends NetlinkSocketDeps {
  readonly port: number;
  /** How many messages the kernel could not leave for it. */
  readonly lostSoFar: () => number;
}

class Socket implements NetlinkSocket {
  readonly #raw: RawSocket;
  readonly #deps: SocketDeps;
  readonly #pending = new Map<number, Pending>();
  #lost = 0;
  #sequence = 0;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(raw: RawSocket, deps: SocketDeps) {
    this.#raw = raw;
    this.#deps = deps;
    raw.on('message', (datagram, from) => {
      this.#receive(datagram, from);
      this.#countLost();
    });
    raw.on('truncatedMessage', () => this.#lose(new Error('a message was longer than the buffer')));
    raw.on('error', (error) => this.#lose(error));
  }

  request(what: string, request: Uint8Array, onAnswer: NetlinkListener = () => {}): Promise<boolean> {
    const mine = this.#last.then(() => this.#exchange(what, request, onAnswer));
    this.#last = mine.catch(() => {});
    return mine;
  }

  join(group: number): void {
    this.#raw.addMembership(group);
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#raw.close();
    this.#failAll(unanswered('the socket to the kernel was closed'));
  }

  #receive(datagram: Buffer, from: { readonly port: number }): void {
    const { port, onNews } = this.#deps;
    // Only the kernel is believed: any process may send to our port.
    if (from.port !== 0 || this.#isClosed) return;
    if (onNews !== undefined && !isAnswer(datagram, port)) {
      onNews(datagram);
      return;
    }
    try {
      const bytes = new NetlinkBytes(datagram);
      eachNetlinkMessage(bytes, (message) => this.#answer(bytes, message));
    } catch (error) {
      this.#failAll(unanswered('reading the answer of the kernel', error));
    }
  }

  #answer(bytes: NetlinkBytes, message: NetlinkMessage): void {
    const waiting = message.port === this.#deps.port ? this.#pending.get(message.sequence) : undefined;
    if (waiting === undefined) return;
    if ((message.flags & NLM_F_DUMP_INTR) !== 0) waiting.isInterrupted = true;
    if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
      this.#pending.delete(message.sequence);
      waiting.end(decodeNetlinkVerdict(bytes, message), waiting.isInterrupted);
    } else waiting.onAnswer(bytes, message);
  }

  #countLost(): void {
    const before = this.#lost;
    this.#lost = this.#isClosed ? before : this.#deps.lostSoFar();
    if (this.#lost !== before) this.#lose(new Error(`${this.#lost - before} messages were lost: the buffer was full`));
  }

  #lose(error: Error): void {
    this.#failAll(unanswered('reading from the kernel', error));
    this.#deps.onLost?.(error);
  }

  #failAll(error: BloomeryError): void {
    const all = [...this.#pending.values()];
    this.#pending.clear();
    for (const { end } of all) end(error, false);
  }

  #exchange(what: string, request: Uint8Array, onAnswer: NetlinkListener): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(unanswered(`${what}: the socket is closed`));
      this.#sequence = this.#sequence === SEQUENCE_MAX ? 1 : this.#sequence + 1;
      const own = this.#sequence;
      const cancel = this.#deps.clock.after(DEADLINE_MS, () => {
        this.#pending.delete(own);
        reject(unanswered(`${what}: the kernel gave no answer in ${DEADLINE_MS / 1000} s`));
      });
      const end: Pending['end'] = (verdict, isInterrupted) => {
        cancel();
        if (verdict instanceof BloomeryError) reject(verdict);
        else if (verdict.errno !== 0) reject(kernelRefused(what, verdict));
        else resolve(isInterrupted);
      };
      this.#pending.set(own, { onAnswer, end, isInterrupted: false });
      this.#raw.send(addressed(request, own, this.#deps.port), {}, (error) => {
        if (error === undefined || !this.#pending.delete(own)) return;
        end({ errno: Math.abs(error.errno), words: '' }, false);
      });
    });
  }
}

/** A copy of the request with its number and whom it is from. */
function addressed(request: Uint8Array, sequence: number, port: number): Buffer {
  const message = Buffer.from(request);
  message.writeUInt32LE(sequence, 8);
  message.writeUInt32LE(port, 12);
  return message;
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

function unanswered(message: string, cause?: unknown): BloomeryError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new BloomeryError('BLM_KERNEL_UNANSWERED', `${message}${why}`, { retryable: true, cause });
}
