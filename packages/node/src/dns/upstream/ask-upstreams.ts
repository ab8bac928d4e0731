import type { Clock } from '@bloomery/ports';
import { DNS_RCODE, type DnsAnswerFrame, type DnsTraceTry, dnsRcodeName, frameDnsAnswer } from '@bloomery/wire';
import type { ExchangeAnswer } from './exchange.ts';
import type { Upstream } from './upstream.ts';
import { upstreamReason } from './upstream-error.ts';
import { answersQuestion, type UpstreamQuestion } from './upstream-question.ts';

/** A question is given up after this. */
export const QUESTION_MS = 4_500;
/** The next upstream is asked, too, when one has said nothing for so long. */
const HEDGE_MS = 500;
/** "There is no such name" of a later upstream waits so long for an earlier one, which may know the name. */
const ABSENCE_WAITS_MS = 1_500;
/** The same when the earlier one is known to be slow. */
const ABSENCE_WAITS_SUSPECT_MS = 250;
const ROUNDS = 2;

/** What came of a question. */
export interface UpstreamOutcome {
  /** Absent when no upstream gave an answer that can be used. */
  readonly answer?: {
    readonly message: Uint8Array;
    readonly frame: DnsAnswerFrame;
    readonly upstream: string;
    /** False when it answered another question. */
    readonly matches: boolean;
  };
  readonly tries: readonly DnsTraceTry[];
}

/**
 * Ask upstreams in their order, each as soon as the one before failed (SERVFAIL, REFUSED, no connection), is known dead, or was
 * silent for 500 ms; dead ones come last. The first answer wins, but absence waits a little for an earlier upstream.
 */
export function askUpstreams(
  upstreams: readonly Upstream[],
  question: UpstreamQuestion,
  clock: Clock,
): Promise<UpstreamOutcome> {
  return new Promise((resolve) => new Race(upstreams, question, { clock, resolve }).start());
}

interface Try {
  readonly upstream: Upstream;
  readonly index: number;
  readonly startedMs: number;
  ended: { readonly tookMs: number; readonly result: string; readonly transport: DnsTraceTry['transport'] } | undefined;
}

type Answer = NonNullable<UpstreamOutcome['answer']>;

class Race {
  readonly #question: UpstreamQuestion;
  readonly #clock: Clock;
  readonly #resolve: (outcome: UpstreamOutcome) => void;
  readonly #startedMs: number;
  readonly #round: readonly Upstream[];
  readonly #tries: Try[] = [];
  #timers: (() => void)[] = [];
  #absence: { readonly answer: Answer; readonly index: number } | undefined;
  #nextOfRound = 0;
  #rounds = 1;
  #done = false;

  constructor(
    upstreams: readonly Upstream[],
    question: UpstreamQuestion,
    { clock, resolve }: { readonly clock: Clock; readonly resolve: (outcome: UpstreamOutcome) => void },
  ) {
    this.#question = question;
    this.#clock = clock;
    this.#resolve = resolve;
    this.#startedMs = clock.nowMs();
    const down = upstreams.filter(({ state }) => state === 'down');
    this.#round = [...upstreams.filter(({ state }) => state !== 'down'), ...down];
  }

  start(): void {
    this.#after(QUESTION_MS, () => this.#finish(this.#absence?.answer));
    if (this.#round.length === 0) this.#finish(undefined);
    else this.#next();
  }

  #next(): void {
    const upstream = this.#round[this.#nextOfRound++];
    if (this.#done || upstream === undefined) return;
    const current: Try = { upstream, index: this.#tries.length, startedMs: this.#sinceStart(), ended: undefined };
    this.#tries.push(current);
    const silentForMs = upstream.state === 'down' || upstream.state === 'suspect' ? 0 : HEDGE_MS;
    upstream.ask(this.#question).then(
      (answer) => this.#took(current, answer),
      (error: unknown) => this.#failed(current, upstreamReason(error)),
    );
    this.#after(silentForMs, () => {
      if (this.#tries.at(-1) === current && current.ended === undefined) this.#next();
    });
  }

  #took(current: Try, { message, transport }: ExchangeAnswer): void {
    const frame = frameDnsAnswer(message);
    const refusal = frame === undefined ? 'malformed answer' : refusalOf(frame.rcode);
    if (frame === undefined || refusal !== undefined) {
      this.#failed(current, refusal ?? '', transport);
      return;
    }
    const matches = answersQuestion(message, this.#question.question);
    this.#endTry(current, matches ? dnsRcodeName(frame.rcode) : 'another question', transport);
    if (this.#done) return;
    const answer = { message, frame, upstream: current.upstream.name, matches };
    if (frame.rcode === DNS_RCODE.NXDOMAIN && this.#earlierMayKnow(current.index)) this.#holdAbsence(answer, current);
    else this.#finish(answer);
  }

  /** The question that the first upstream would have answered otherwise is not answered by the second one at once. */
  #holdAbsence(answer: Answer, current: Try): void {
    if (this.#absence === undefined) {
      const earlier = this.#tries.filter(({ index, ended }) => index < current.index && ended === undefined);
      const slow = earlier.some(({ upstream }) => upstream.state !== 'suspect');
      const waitUntilMs = slow ? ABSENCE_WAITS_MS : this.#sinceStart() + ABSENCE_WAITS_SUSPECT_MS;
      this.#after(Math.max(0, waitUntilMs - this.#sinceStart()), () => this.#finish(this.#absence?.answer));
    }
    if (this.#absence === undefined || current.index < this.#absence.index)
      this.#absence = { answer, index: current.index };
  }

  #earlierMayKnow(index: number): boolean {
    return this.#tries.some(
      (other) => other.index < index && other.ended === undefined && other.upstream.state !== 'down',
    );
  }

  #failed(current: Try, result: string, transport = plannedTransport(current.upstream, this.#question)): void {
    this.#endTry(current, result, transport);
    if (this.#done) return;
    if (this.#absence !== undefined && !this.#earlierMayKnow(this.#absence.index)) this.#finish(this.#absence.answer);
    else if (this.#nextOfRound < this.#round.length) this.#next();
    else if (this.#tries.every(({ ended }) => ended !== undefined)) this.#endRound();
  }

  #endRound(): void {
    // One that did not answer may have lost the packet; one that refused will refuse again.
    if (this.#rounds < ROUNDS && this.#tries.some(({ ended }) => ended?.result === 'timeout')) {
      this.#rounds += 1;
      this.#nextOfRound = 0;
      this.#next();
    } else {
      this.#finish(undefined);
    }
  }

  #endTry(current: Try, result: string, transport: DnsTraceTry['transport']): void {
    current.ended = { tookMs: this.#sinceStart() - current.startedMs, result, transport };
  }

  #finish(answer: Answer | undefined): void {
    if (this.#done) return;
    this.#done = true;
    for (const cancel of this.#timers) cancel();
    for (const { upstream, ended, startedMs } of this.#tries)
      if (ended === undefined && this.#sinceStart() - startedMs >= HEDGE_MS) upstream.suspect();
    this.#resolve({ ...(answer === undefined ? {} : { answer }), tries: this.#tries.map((one) => this.#told(one)) });
  }

  #told({ upstream, startedMs, ended }: Try): DnsTraceTry {
    return {
      upstream: upstream.name,
      protocol: upstream.setting.protocol,
      transport: ended?.transport ?? plannedTransport(upstream, this.#question),
      startedMs,
      tookMs: ended?.tookMs ?? this.#sinceStart() - startedMs,
      result: ended?.result ?? 'overtaken',
    };
  }

  #sinceStart(): number {
    return this.#clock.nowMs() - this.#startedMs;
  }

  #after(delayMs: number, run: () => void): void {
    this.#timers.push(this.#clock.after(delayMs, run));
  }
}

/** The name of a code by which an upstream says that others should be asked. */
function refusalOf(rcode: number): string | undefined {
  return rcode === DNS_RCODE.SERVFAIL || rcode === DNS_RCODE.REFUSED ? dnsRcodeName(rcode) : undefined;
}

function plannedTransport({ setting }: Upstream, { transport }: UpstreamQuestion): DnsTraceTry['transport'] {
  if (setting.protocol === 'DoT') return 'tls';
  return setting.protocol === 'DoH' ? 'https' : transport;
}
