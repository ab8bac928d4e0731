import type { Duplex } from 'node:stream';
import type { Clock, RandomBytes } from '@bloomery/ports';
import { StreamFramer } from '../stream-framer.ts';
import { upstreamError, upstreamReason } from './upstream-error.ts';
import { answersQuestion, encodeUpstreamQuestion, type UpstreamQuestion } from './upstream-question.ts';

/** A connection that nobody used for so long is closed. */
const IDLE_MS = 10_000;

export interface StreamConnectionDeps {
  /** `1.1.1.1:853`, for messages. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

interface Waiting {
  readonly question: Uint8Array;
  readonly resolve: (message: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

/** A connection on which many questions are asked at once, answered in any order (RFC 7766). */
export class StreamConnection {
  readonly #stream: Duplex;
  readonly #deps: StreamConnectionDeps;
  readonly #ended: () => void;
  readonly #waiting = new Map<number, Waiting>();
  #cancelIdle: () => void = () => {};
  #open = true;
  #heard = 0;

  /** @param ended called once when nothing more can be asked on it. */
  constructor(stream: Duplex, deps: StreamConnectionDeps, ended: () => void) {
    this.#stream = stream;
    this.#deps = deps;
    this.#ended = ended;
    const framer = new StreamFramer((message) => this.#take(message));
    stream.on('data', (chunk: Buffer) => framer.push(chunk));
    stream.on('error', (error) => this.#end(upstreamReason(error)));
    stream.on('close', () => this.#end('connection closed'));
    stream.on('end', () => this.#end('connection closed'));
    this.#restIdle();
  }

  /** Messages that came on it. */
  get answers(): number {
    return this.#heard;
  }

  /** @throws BloomeryError BLM_DNS_UPSTREAM when the connection breaks off, or `signal` aborts. */
  ask(question: UpstreamQuestion, signal: AbortSignal): Promise<Uint8Array> {
    const id = this.#freeId();
    const packet = encodeUpstreamQuestion(question, id);
    const length = Buffer.of(packet.byteLength >>> 8, packet.byteLength & 0xff);
    return new Promise<Uint8Array>((resolve, reject) => {
      const settle = (): void => {
        signal.removeEventListener('abort', abort);
        this.#waiting.delete(id);
        this.#restIdle();
      };
      const heard = this.#heard;
      const abort = (): void => {
        settle();
        reject(upstreamError(this.#deps.name, 'timeout'));
        // Somebody on the way may have forgotten the connection: then nothing ever comes, and the next question needs another one.
        if (this.#heard === heard) this.#end('connection is silent');
      };
      if (signal.aborted) return abort();
      if (!this.#open) return reject(upstreamError(this.#deps.name, 'connection closed'));
      signal.addEventListener('abort', abort);
      this.#waiting.set(id, {
        question: question.question,
        resolve: (message) => {
          settle();
          resolve(message);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      this.#stream.write(Buffer.concat([length, packet]));
    });
  }

  close(): void {
    this.#end('connection closed');
  }

  #take(message: Uint8Array): void {
    this.#heard += 1;
    const waiting = this.#waiting.get(((message[0] ?? 0) << 8) | (message[1] ?? 0));
    if (waiting === undefined) return;
    // With one question under way an answer to another one is the upstream's mistake; with many it may be for one given up.
    if (this.#waiting.size > 1 && hasQuestion(message) && !answersQuestion(message, waiting.question)) return;
    // What is kept of an answer must not keep all that came with it.
    waiting.resolve(Uint8Array.from(message));
  }

  #freeId(): number {
    for (;;) {
      const [high = 0, low = 0] = this.#deps.random(2);
      const id = (high << 8) | low;
      if (!this.#waiting.has(id)) return id;
    }
  }

  #restIdle(): void {
    this.#cancelIdle();
    if (this.#open) this.#cancelIdle = this.#deps.clock.after(IDLE_MS, () => this.#end('connection closed'));
  }

  #end(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#cancelIdle();
    this.#stream.destroy();
    this.#ended();
    for (const { reject } of [...this.#waiting.values()]) reject(upstreamError(this.#deps.name, reason));
  }
}

/** Who does not understand a question may send its header back alone. */
function hasQuestion(message: Uint8Array): boolean {
  return message[4] !== 0 || message[5] !== 0;
}
