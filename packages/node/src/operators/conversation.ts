import {
  type BackOffBounds,
  backOffMs,
  type Clock,
  errorText,
  fraction,
  type Logger,
  type RandomBytes,
} from '@bloomery/ports';
import type { Pauses } from './pauses.ts';

export interface ConversationDeps<Message> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  /** Those of the client, so that its end ends the question. */
  readonly pauses: Pauses;
  /** @throws for bytes that are no message. */
  readonly decode: (payload: Uint8Array) => Message;
  /** How long an answer is waited for: longer after each sending. */
  readonly resend: BackOffBounds;
  /** Nobody has answered a question for a while. */
  readonly onSilence: () => void;
}

/** What is asked. */
export interface Question<Message, Answer> {
  /** Infinity: until there is an answer. */
  readonly tries: number;
  readonly send: (elapsedMs: number) => void;
  /** undefined: it is no answer, and is waited on. @throws for messages that are none. */
  readonly accept: (message: Message) => Answer | undefined;
}

/** Sendings without an answer after which it is said that there is no server. */
const SILENT_AFTER = 2;

/** A client's talk with its servers: one question at a time, sent again and again until something is accepted. */
export class Conversation<Message> {
  readonly #deps: ConversationDeps<Message>;
  #hear: ((message: Message) => void) | undefined;

  constructor(deps: ConversationDeps<Message>) {
    this.#deps = deps;
  }

  /** What came from outside. Rubbish, and what nobody has asked for, is left. */
  receive(payload: Uint8Array): void {
    try {
      this.#hear?.(this.#deps.decode(payload));
    } catch (error) {
      this.#deps.log.debug('dhcp.malformed', { problem: errorText(error) });
    }
  }

  /** @returns undefined: no answer, or the client is stopped. @throws what `send` throws. */
  async ask<Answer>({ tries, send, accept }: Question<Message, Answer>): Promise<Answer | undefined> {
    const { clock, random, pauses, resend, onSilence } = this.#deps;
    const begunMs = clock.nowMs();
    const found: { answer?: Answer } = {};
    this.#hear = (message) => {
      if (found.answer !== undefined) return;
      const answer = accept(message);
      if (answer === undefined) return;
      found.answer = answer;
      pauses.wake();
    };
    try {
      for (let sent = 1; sent <= tries && !pauses.isStopped; sent++) {
        send(Math.max(0, clock.nowMs() - begunMs));
        const pauseMs = backOffMs(sent, resend, () => fraction(random));
        await pauses.pause(pauseMs, () => found.answer !== undefined);
        if (found.answer !== undefined) break;
        if (sent === SILENT_AFTER && !pauses.isStopped) onSilence();
      }
      return found.answer;
    } finally {
      this.#hear = undefined;
    }
  }
}
