import type { Duplex } from 'node:stream';
import { openShared, unlessAborted } from './shared-opening.ts';
import { StreamConnection, type StreamConnectionDeps } from './stream-connection.ts';
import { upstreamError, upstreamReason } from './upstream-error.ts';
import type { UpstreamQuestion } from './upstream-question.ts';

/** Questions under way on one connection; more go on another one. */
const PIPELINE_MAX = 256;

export interface StreamExchangeDeps extends StreamConnectionDeps {
  readonly open: (signal: AbortSignal) => Promise<Duplex>;
}

/** A server that closes a connection after fewer answers than this is asked one question on each. */
const FEW_ANSWERS = 8;

/** A connection that is there or being opened, and how many ask on it. */
interface Lane {
  readonly opening: Promise<StreamConnection>;
  /** Undefined while it is being opened. */
  connection: StreamConnection | undefined;
  asking: number;
}

/** Asks over connections that are kept, the first with room: one, as long as no more than 256 questions are under way. */
export class StreamExchange implements Disposable {
  readonly #deps: StreamExchangeDeps;
  readonly #ended = new AbortController();
  #lanes: readonly Lane[] = [];

  constructor(deps: StreamExchangeDeps) {
    this.#deps = deps;
  }

  /** @throws BloomeryError BLM_DNS_UPSTREAM when no connection can be opened, it breaks off, or `signal` aborts. */
  async ask(question: UpstreamQuestion, signal: AbortSignal): Promise<Uint8Array> {
    let lane = this.#lanes.find(hasRoom) ?? this.#open();
    for (;;) {
      const wasKept = lane.connection !== undefined;
      try {
        return await this.#askOn(lane, question, signal);
      } catch (error) {
        // A server may close a connection at any moment, with questions on it that it does not answer: that says nothing of the next one.
        const answers = lane.connection?.answers ?? 0;
        if (signal.aborted || (!wasKept && answers === 0)) throw error;
        if (answers > 0 && answers < FEW_ANSWERS) return await this.#askAlone(question, signal);
        lane = this.#lanes.find(hasRoom) ?? this.#open();
      }
    }
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
    for (const { opening } of this.#lanes)
      opening.then(
        (connection) => connection.close(),
        () => {},
      );
    this.#lanes = [];
  }

  async #askOn(lane: Lane, question: UpstreamQuestion, signal: AbortSignal): Promise<Uint8Array> {
    lane.asking += 1;
    try {
      const connection = await unlessAborted(lane.opening, signal, () => upstreamError(this.#deps.name, 'timeout'));
      return await connection.ask(question, signal);
    } finally {
      lane.asking -= 1;
    }
  }

  async #askAlone(question: UpstreamQuestion, signal: AbortSignal): Promise<Uint8Array> {
    const connection = await this.#connect(() => {});
    try {
      return await connection.ask(question, signal);
    } finally {
      connection.close();
    }
  }

  #open(): Lane {
    const leave = (): void => {
      this.#lanes = this.#lanes.filter((one) => one !== lane);
    };
    const lane: Lane = { opening: this.#connect(leave), connection: undefined, asking: 0 };
    lane.opening.then((connection) => {
      lane.connection = connection;
    }, leave);
    this.#lanes = [...this.#lanes, lane];
    return lane;
  }

  #connect(ended: () => void): Promise<StreamConnection> {
    return openShared(
      { clock: this.#deps.clock, ended: this.#ended.signal },
      async (signal) => new StreamConnection(await this.#deps.open(signal), this.#deps, ended),
      (error, isLate) => upstreamError(this.#deps.name, isLate ? 'timeout' : upstreamReason(error), error),
    );
  }
}

function hasRoom({ asking }: Lane): boolean {
  return asking < PIPELINE_MAX;
}
