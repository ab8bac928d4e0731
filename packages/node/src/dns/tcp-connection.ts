import type { Duplex } from 'node:stream';
import type { Clock } from '@bloomery/ports';
import type { Resolver } from './resolver.ts';
import { StreamFramer } from './stream-framer.ts';
import { isLoopback } from './udp-backend.ts';

/** Questions of one connection under way; no more is taken up until some are answered. */
const PIPELINE_MAX = 128;
/** How long a connection may stay as it is: waiting for a question, with half a question, with answers that are not taken. */
const STAYS_MS = { idle: 10_000, reading: 3_000, writing: 5_000 } as const;
type Stays = keyof typeof STAYS_MS | 'working';

export interface TcpConnectionDeps {
  readonly resolver: Pick<Resolver, 'replyFromCache' | 'resolve'>;
  readonly clock: Clock;
  /** Answers of all connections that wait for their clients; above that, one that takes none is closed. */
  readonly backlog: { bytes: number; readonly maxBytes: number };
}

/** Of a socket, what is needed here. */
export type ClientStream = Duplex & { readonly remoteAddress?: string | undefined };

/**
 * Serve a connection: any number of questions, each answered as soon as it can be, also after the client has ended its side. It is
 * ended after 10 s without a question, when one does not arrive whole within 3 s, or answers are not taken within 5 s.
 *
 * @param socket one that stays open when the other side ends.
 */
export function serveTcpConnection(socket: ClientStream, deps: TcpConnectionDeps): void {
  new TcpConnection(socket, deps).serve();
}

class TcpConnection {
  readonly #socket: ClientStream;
  readonly #deps: TcpConnectionDeps;
  readonly #fromLoopback: boolean;
  readonly #framer = new StreamFramer(
    (packet) => this.#take(packet),
    () => this.#mayTake(),
  );
  #underWay = 0;
  #left = 0;
  #hasEnded = false;
  #stays: Stays = 'working';
  #cancelTimer = (): void => {};

  constructor(socket: ClientStream, deps: TcpConnectionDeps) {
    this.#socket = socket;
    this.#deps = deps;
    this.#fromLoopback = isLoopback(socket.remoteAddress ?? '');
  }

  serve(): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => this.#goOn(this.#framer.push(chunk) > 0));
    socket.on('drain', () => this.#goOn(true));
    socket.on('end', () => {
      this.#hasEnded = true;
      this.#goOn(false);
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#cancelTimer();
      this.#leave(-this.#left);
    });
    this.#watch(true);
  }

  #mayTake(): boolean {
    // Who takes no answers is asked for no more questions.
    return this.#underWay < PIPELINE_MAX && !this.#socket.writableNeedDrain && !this.#socket.destroyed;
  }

  #take(packet: Uint8Array): void {
    const { resolver } = this.#deps;
    const reply = resolver.replyFromCache(packet, 'tcp');
    if (reply !== undefined) {
      this.#answer(reply);
      return;
    }
    this.#underWay += 1;
    const asked = { packet: Uint8Array.from(packet), transport: 'tcp', fromLoopback: this.#fromLoopback } as const;
    void resolver.resolve(asked).then((answered) => {
      this.#underWay -= 1;
      if (answered !== undefined) this.#answer(answered.packet);
      this.#goOn(false);
    });
  }

  #answer(packet: Uint8Array): void {
    const { backlog } = this.#deps;
    const socket = this.#socket;
    if (socket.destroyed) return;
    if (socket.writableNeedDrain && backlog.bytes > backlog.maxBytes) {
      socket.destroy();
      return;
    }
    const framed = Buffer.concat([Buffer.of(packet.byteLength >>> 8, packet.byteLength), packet]);
    this.#leave(framed.byteLength);
    socket.write(framed, () => this.#leave(-framed.byteLength));
  }

  /** So many bytes more wait for the client. Those of a connection that closed wait for nobody. */
  #leave(bytes: number): void {
    if (this.#socket.closed && this.#left === 0) return;
    this.#left += bytes;
    this.#deps.backlog.bytes += bytes;
  }

  /** Take up what may be taken up now. `moved`: the client did its part. */
  #goOn(moved: boolean): void {
    const socket = this.#socket;
    const took = this.#framer.flow() > 0;
    if (socket.destroyed) return;
    if (this.#mayTake()) socket.resume();
    else socket.pause();
    if (this.#hasEnded && this.#underWay === 0 && this.#mayTake()) socket.end();
    this.#watch(moved || took);
  }

  /** A time runs on while nothing is moved: bytes that come one by one do not make half a question last. */
  #watch(moved: boolean): void {
    const stays = this.#state();
    if (stays === this.#stays && !moved) return;
    this.#stays = stays;
    this.#cancelTimer();
    if (stays !== 'working') this.#cancelTimer = this.#deps.clock.after(STAYS_MS[stays], () => this.#giveUp(stays));
  }

  /** The last bytes may have been taken without a word. */
  #giveUp(stays: Stays): void {
    if (this.#state() === stays) this.#socket.destroy();
    else this.#watch(true);
  }

  #state(): Stays {
    if (this.#socket.writableLength > 0) return 'writing';
    if (this.#underWay > 0) return 'working';
    return this.#framer.isPartial ? 'reading' : 'idle';
  }
}
