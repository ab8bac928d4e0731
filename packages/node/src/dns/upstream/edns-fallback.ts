import type { Clock } from '@bloomery/ports';
import { DNS_RCODE } from '@bloomery/wire';
import type { Exchange, ExchangeAnswer } from './exchange.ts';
import type { UpstreamQuestion } from './upstream-question.ts';

/** For how long an upstream is not asked with EDNS again. */
const REMEMBERED_MS = 15 * 60_000;
/** With EDNS unanswered for so long a question is asked without it, too: half of a try. */
const SILENT_MS = 1_000;
/** So many questions with EDNS one after the other without an answer are odd: as before the first answer, they may be dropped for it. */
const ODD = 3;
/** And so often a question without EDNS was answered then: they are. One may have been lost. */
const CERTAIN = ODD + 2;

/**
 * Asks without EDNS where it is refused (FORMERR, NOTIMP), or questions with it are dropped on the way, and remembers that for a
 * quarter of an hour. Who wants DNSSEC records is asked for without EDNS only where that is remembered: without it there are none.
 *
 * @see RFC 6891 section 6.2.2
 */
export class EdnsFallback implements Exchange {
  readonly #exchange: Exchange;
  readonly #clock: Clock;
  #isRemembered = false;
  /** From 0, when one was answered, to CERTAIN. */
  #unanswered = ODD;
  #cancelRemembered = (): void => {};

  constructor(exchange: Exchange, clock: Clock) {
    this.#exchange = exchange;
    this.#clock = clock;
  }

  ask(question: UpstreamQuestion, signal: AbortSignal): Promise<ExchangeAnswer> {
    if (question.edns === undefined) return this.#exchange.ask(question, signal);
    if (this.#isRemembered) return this.#exchange.ask(withoutEdns(question), signal);
    const mayBeDropped = question.transport === 'udp' && !question.edns.dnssecOk && this.#unanswered >= ODD;
    return mayBeDropped ? this.#askBoth(question, signal) : this.#askWithEdns(question, signal);
  }

  [Symbol.dispose](): void {
    this.#cancelRemembered();
    this.#exchange[Symbol.dispose]();
  }

  async #askWithEdns(question: UpstreamQuestion, signal: AbortSignal): Promise<ExchangeAnswer> {
    const answer = await this.#exchange.ask(question, signal).catch((error: unknown) => {
      if (signal.aborted && question.transport === 'udp' && this.#unanswered < ODD) this.#unanswered += 1;
      throw error;
    });
    this.#unanswered = 0;
    if (!isRefused(answer)) return answer;
    const plain = await this.#exchange.ask(withoutEdns(question), signal);
    if (!isRefused(plain)) this.#remember();
    return plain;
  }

  #askBoth(question: UpstreamQuestion, signal: AbortSignal): Promise<ExchangeAnswer> {
    const end = new AbortController();
    const abort = (): void => end.abort();
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    return new Promise<ExchangeAnswer>((resolve, reject) => {
      this.#askWithEdns(question, end.signal).then(resolve, reject);
      this.#askWhenSilent(question, end.signal).then(
        (answer) => answer && resolve(answer),
        // The other one is still under way, or says why not.
        () => {},
      );
    }).finally(() => {
      signal.removeEventListener('abort', abort);
      abort();
    });
  }

  async #askWhenSilent(question: UpstreamQuestion, signal: AbortSignal): Promise<ExchangeAnswer | undefined> {
    await this.#clock.sleep(SILENT_MS, signal);
    if (signal.aborted) return undefined;
    const answer = await this.#exchange.ask(withoutEdns(question), signal);
    this.#unanswered += 1;
    if (this.#unanswered >= CERTAIN) this.#remember();
    return answer;
  }

  #remember(): void {
    this.#isRemembered = true;
    this.#cancelRemembered();
    this.#cancelRemembered = this.#clock.after(REMEMBERED_MS, () => {
      this.#isRemembered = false;
      this.#unanswered = ODD;
    });
  }
}

function withoutEdns({ edns: _, ...question }: UpstreamQuestion): UpstreamQuestion {
  return question;
}

function isRefused({ message }: ExchangeAnswer): boolean {
  const rcode = (message[3] ?? 0) & 15;
  return rcode === DNS_RCODE.FORMERR || rcode === DNS_RCODE.NOTIMP;
}
