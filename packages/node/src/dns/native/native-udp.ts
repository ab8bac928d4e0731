import { closeSync, writeSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { BoundAddress, Listen, Logger } from '@bloomery/ports';
import type { Resolver } from '../resolver.ts';
import type { UdpBackend } from '../udp-backend.ts';
import { type DatagramFrame, decodeFrames, encodeFrames } from './datagram-frames.ts';
import { encodeSockaddr, isLoopbackSockaddr } from './sockaddr.ts';
import { COUNT, type FromThread, type ThreadStart, type ToThread } from './thread-messages.ts';

/** Beside this file; in the bundle of `scripts/bundle.ts`, too. */
const THREAD_FILE = import.meta.url.endsWith('.ts') ? './datagram-worker.ts' : './datagram-worker.mjs';
/** What the thread may take: its cache is outside of this. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 } as const;
const COUNTS = 2;
const SOCKET_IDS = 65_536;
const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

export interface NativeUdpDeps {
  readonly resolver: Resolver;
  readonly log: Logger;
  readonly cacheSeed: number;
  /** The thread ended by itself; its sockets are closed. */
  readonly lost: (reason: string) => void;
}

/** Datagrams by a thread of their own, and TCP listeners with a hop limit, which Node cannot set. */
export interface NativeUdp extends UdpBackend {
  /** A descriptor that listens, for Node to take over. @throws an Error with `code` when it cannot be bound. */
  openTcp(listen: Listen, hopLimit: number): Promise<NativeTcp>;
}

export interface NativeTcp {
  readonly fd: number;
  /** Only while the descriptor is open. */
  setHopLimit(hopLimit: number): void;
}

/** Start the thread. @throws an Error when its native parts are missing or fail. */
export async function startNativeUdp(deps: NativeUdpDeps): Promise<NativeUdp> {
  const thread = new NativeThread(deps);
  await thread.started;
  return thread;
}

interface Pending {
  readonly resolve: (bound: { readonly fd: number; readonly port: number }) => void;
  readonly reject: (error: Error) => void;
}

class NativeThread implements NativeUdp {
  readonly started: Promise<void>;
  readonly #deps: NativeUdpDeps;
  readonly #worker: Worker;
  readonly #counts = new Float64Array(new SharedArrayBuffer(8 * COUNTS));
  readonly #channel = new MessageChannel();
  readonly #pending = new Map<number, Pending>();
  readonly #closing = new Map<number, () => void>();
  /** Descriptors that the thread serves. */
  readonly #fds = new Map<number, number>();
  readonly #ended: Promise<void>;
  #wakeFd = -1;
  #lastId = 0;
  #outbox: ToThread[] = [];
  #replies: DatagramFrame[] = [];
  #stopping = false;

  constructor(deps: NativeUdpDeps) {
    this.#deps = deps;
    const { port1, port2 } = this.#channel;
    const start: ThreadStart = { port: port2, cacheSeed: deps.cacheSeed, counts: this.#counts };
    this.#worker = new Worker(new URL(THREAD_FILE, import.meta.url), {
      name: 'dns',
      workerData: start,
      transferList: [port2],
      resourceLimits: THREAD_LIMITS,
    });
    process.once('exit', this.#stopAtExit);
    let failure = 'it ended';
    this.started = new Promise((resolve, reject) => {
      this.#worker.once('error', (error) => {
        failure = error.message;
        reject(error);
      });
      this.#worker.once('exit', () => reject(new Error(failure)));
      port1.on('message', (message: FromThread) => {
        if (message.did === 'start') {
          this.#wakeFd = message.wakeFd;
          resolve();
        } else {
          this.#hear(message);
        }
      });
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#cleanUp(failure);
        resolve();
      });
    });
  }

  get counts(): { readonly hits: number; readonly shed: number } {
    return { hits: this.#counts[COUNT.HITS] ?? 0, shed: this.#counts[COUNT.SHED] ?? 0 };
  }

  async bind(listen: Listen, hopLimit: number): Promise<Awaited<ReturnType<UdpBackend['bind']>>> {
    const { socket, bound } = this.#open('udp', listen, hopLimit);
    const { fd, port } = await bound;
    this.#fds.set(socket, fd);
    const address: BoundAddress = { host: listen.host, port };
    return {
      address,
      setHopLimit: (limit) => this.#setHopLimit(listen, fd, limit),
      [Symbol.asyncDispose]: async () => {
        if (this.#fds.has(socket)) await this.#close(socket);
      },
    };
  }

  async openTcp(listen: Listen, hopLimit: number): Promise<NativeTcp> {
    const { fd } = await this.#open('tcp', listen, hopLimit).bound;
    return { fd, setHopLimit: (limit) => this.#setHopLimit(listen, fd, limit) };
  }

  remember(answer: Parameters<UdpBackend['remember']>[0]): void {
    this.#tell({ do: 'remember', answer });
  }

  forget(name: Uint8Array): void {
    this.#tell({ do: 'forget', name });
  }

  clear(): void {
    this.#tell({ do: 'clear' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    this.#tell({ do: 'stop' });
    await this.#ended;
  }

  #setHopLimit(listen: Listen, fd: number, hopLimit: number): void {
    this.#tell({ do: 'hops', fd, family: encodeSockaddr(listen)?.[0] ?? 0, hopLimit });
  }

  #open(
    transport: 'udp' | 'tcp',
    listen: Listen,
    hopLimit: number,
  ): { readonly socket: number; readonly bound: Promise<{ readonly fd: number; readonly port: number }> } {
    const address = encodeSockaddr(listen);
    this.#lastId = (this.#lastId + 1) % SOCKET_IDS;
    const socket = this.#lastId;
    if (address === undefined)
      return { socket, bound: Promise.reject(new Error(`"${listen.host}" is not an IP address`)) };
    const bound = new Promise<{ readonly fd: number; readonly port: number }>((resolve, reject) => {
      this.#pending.set(socket, { resolve, reject });
    });
    this.#tell({ do: 'bind', socket, transport, address, hopLimit });
    return { socket, bound };
  }

  #close(socket: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#closing.set(socket, resolve));
    this.#tell({ do: 'close', socket });
    return closed;
  }

  #hear(message: Exclude<FromThread, { readonly did: 'start' }>): void {
    if (message.did === 'ask') {
      // Copies: one question that waits long must not keep all that came with it.
      for (const { socket, peer, packet } of decodeFrames(message.frames))
        void this.#answer({ socket, peer: peer.slice(), packet: packet.slice() });
      return;
    }
    if (message.did === 'close') {
      this.#fds.delete(message.socket);
      this.#closing.get(message.socket)?.();
      this.#closing.delete(message.socket);
      return;
    }
    const pending = this.#pending.get(message.socket);
    this.#pending.delete(message.socket);
    if (message.did === 'bind') pending?.resolve(message);
    else pending?.reject(systemError(message.errno));
  }

  async #answer({ socket, peer, packet }: DatagramFrame): Promise<void> {
    const fromLoopback = isLoopbackSockaddr(peer);
    const answered = await this.#deps.resolver.resolve({ packet, transport: 'udp', fromLoopback });
    if (answered?.remember !== undefined) this.remember(answered.remember);
    this.#replies.push({ socket, peer, packet: answered?.packet ?? new Uint8Array() });
    if (this.#replies.length === 1) queueMicrotask(() => this.#sendReplies());
  }

  #sendReplies(): void {
    this.#tell({ do: 'send', frames: encodeFrames(this.#replies) });
    this.#replies = [];
  }

  #tell(message: ToThread): void {
    this.#outbox.push(message);
    if (this.#outbox.length === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const messages = this.#outbox;
    this.#outbox = [];
    if (this.#wakeFd < 0) return;
    this.#channel.port1.postMessage(messages);
    writeSync(this.#wakeFd, ONE);
  }

  /** Node waits for its threads when the process ends, and this one waits for us: nothing is delivered in turns any more. */
  readonly #stopAtExit = (): void => {
    const stop: ToThread = { do: 'stop' };
    this.#channel.port1.postMessage([stop]);
    if (this.#wakeFd >= 0) writeSync(this.#wakeFd, ONE);
  };

  /** What the thread held is ours now: descriptors outlive it. */
  #cleanUp(reason: string): void {
    process.removeListener('exit', this.#stopAtExit);
    this.#channel.port1.close();
    if (!this.#stopping) for (const fd of this.#fds.values()) closeSync(fd);
    this.#fds.clear();
    if (this.#wakeFd >= 0) closeSync(this.#wakeFd);
    this.#wakeFd = -1;
    for (const { reject } of this.#pending.values()) reject(new Error(reason));
    for (const resolve of this.#closing.values()) resolve();
    this.#pending.clear();
    if (!this.#stopping) this.#deps.lost(reason);
  }
}

function systemError(errno: number): Error {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(code), { code, errno: -errno });
}
