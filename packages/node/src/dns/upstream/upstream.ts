import type { Clock } from '@bloomery/ports';
import type { DnsUpstreamSetting } from '../host-dns.ts';
import { type Exchange, type ExchangeAnswer, upstreamName } from './exchange.ts';
import { isOverTcp, isOwnTrouble, upstreamReason } from './upstream-error.ts';
import { PROBE, type UpstreamQuestion } from './upstream-question.ts';

/** How long one try may take. */
export const TRY_MS = 2_000;
const PROBE_MS = 1_000;
/** Connections with TLS take some more round trips. */
const PROBE_TLS_MS = 2_000;
const PROBE_AGAIN_MS = { first: 500, max: 10_000 } as const;

/**
 * `suspect`: it lets questions wait or does not answer probes, but not yet both. A slow name or a dropped probe alone must not take
 * an upstream out: which one is asked matters where inner and outer servers know different names.
 */
export type UpstreamState = 'unknown' | 'up' | 'suspect' | 'down';

export interface UpstreamDeps {
  readonly clock: Clock;
  /** The way to it; it is disposed of with the upstream. */
  readonly exchange: Exchange;
  /** It became healthy, or is not any more. */
  readonly changed: (upstream: Upstream) => void;
}

/** A name server with what is known of its health. Nothing is sent to one that answers but the questions of clients. */
export class Upstream implements Disposable {
  readonly setting: DnsUpstreamSetting;
  readonly name: string;
  readonly #clock: Clock;
  readonly #exchange: Exchange;
  readonly #changed: (upstream: Upstream) => void;
  readonly #ended = new AbortController();
  #state: UpstreamState = 'unknown';
  #lastError: string | undefined;
  #healthy = true;
  /** A question was not answered in time since it was last heard of. */
  #letWait = false;
  #probing = false;
  #probeAgainMs: number = PROBE_AGAIN_MS.first;
  #cancelProbe: () => void = () => {};

  constructor(setting: DnsUpstreamSetting, deps: UpstreamDeps) {
    this.setting = setting;
    this.name = upstreamName(setting);
    this.#clock = deps.clock;
    this.#changed = deps.changed;
    this.#exchange = deps.exchange;
  }

  get state(): UpstreamState {
    return this.#state;
  }

  /** False when it was not reached at the last try. */
  get healthy(): boolean {
    return this.#healthy;
  }

  /** Why it is not healthy. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /**
   * Ask, for at most TRY_MS. What comes of it is noted.
   * @throws BloomeryError BLM_DNS_UPSTREAM.
   */
  async ask(question: UpstreamQuestion): Promise<ExchangeAnswer> {
    try {
      const answer = await this.#askFor(question, TRY_MS);
      this.#isUp();
      return answer;
    } catch (error) {
      if (isOwnTrouble(error)) throw error;
      const reason = upstreamReason(error);
      this.#letWait = true;
      if ((reason === TIMEOUT || isOverTcp(error)) && this.#healthy) this.suspect();
      else this.#failed(reason);
      throw error;
    }
  }

  /** It lets somebody wait: find out whether it is there. */
  suspect(): void {
    if (this.#state === 'down' || this.#ended.signal.aborted) return;
    this.#state = 'suspect';
    this.probe();
  }

  /** Find out whether it is there, and go on while it is not. */
  probe(): void {
    if (this.#probing || this.#ended.signal.aborted) return;
    this.#probing = true;
    this.#cancelProbe();
    this.#askFor(PROBE, this.setting.protocol === 'Do53' ? PROBE_MS : PROBE_TLS_MS)
      .finally(() => {
        this.#probing = false;
      })
      .then(
        () => this.#isUp(),
        (error: unknown) => this.#failed(upstreamReason(error)),
      );
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
    this.#cancelProbe();
    this.#exchange[Symbol.dispose]();
  }

  async #askFor(question: UpstreamQuestion, timeoutMs: number): Promise<ExchangeAnswer> {
    const giveUp = new AbortController();
    const abort = (): void => giveUp.abort();
    const cancel = this.#clock.after(timeoutMs, abort);
    this.#ended.signal.addEventListener('abort', abort);
    try {
      return await this.#exchange.ask(question, giveUp.signal);
    } finally {
      cancel();
      this.#ended.signal.removeEventListener('abort', abort);
    }
  }

  #isUp(): void {
    const before = this.#healthy;
    this.#cancelProbe();
    this.#probeAgainMs = PROBE_AGAIN_MS.first;
    this.#lastError = undefined;
    this.#letWait = false;
    this.#state = 'up';
    this.#healthy = true;
    if (!before) this.#changed(this);
  }

  #failed(reason: string): void {
    if (this.#ended.signal.aborted) return;
    const before = this.#healthy;
    this.#state = reason === TIMEOUT && !this.#letWait ? 'suspect' : 'down';
    this.#healthy = false;
    this.#lastError = reason;
    this.#cancelProbe();
    this.#cancelProbe = this.#clock.after(this.#probeAgainMs, () => this.probe());
    this.#probeAgainMs = Math.min(PROBE_AGAIN_MS.max, 2 * this.#probeAgainMs);
    if (before) this.#changed(this);
  }
}

/** The reason of a try that was given up. */
const TIMEOUT = 'timeout';
