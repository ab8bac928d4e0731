import { Worker } from 'node:worker_threads';
import { BloomeryError, type Clock, type ErrorCode, type Facts } from '@bloomery/ports';
import { type ConfigQuestion, type ConfigReading, readConfig } from './read-config.ts';

/** What the thread says. */
export type ThreadAnswer =
  | { readonly reading: ConfigReading }
  | { readonly refusal: { readonly code: ErrorCode; readonly message: string; readonly facts: Facts } };

export interface AsideOptions {
  readonly clock: Clock;
  /** Aborted: the reading is given up. */
  readonly signal: AbortSignal;
  /** What a reading may take; ASIDE_LIMITS unless given. */
  readonly limits?: AsideLimits;
}

export interface AsideLimits {
  /** Longer texts are read by a thread of their own. */
  readonly aloneCharacters: number;
  readonly memoryMb: number;
  readonly timeMs: number;
}

/** A generated configuration with all its comments has some 30,000 characters and is read at once. */
const ASIDE_LIMITS: AsideLimits = { aloneCharacters: 48 * 1024, memoryMb: 384, timeMs: 30_000 };
/** Beside this file; in the bundle of `scripts/bundle.ts`, too. */
const THREAD_FILE = import.meta.url.endsWith('.ts') ? './config-thread.ts' : './config-thread.mjs';

/**
 * Read a configuration without keeping the daemon from its work: a large one in a thread, whose memory and time are bounded.
 *
 * @throws BloomeryError BLM_TALOS_CONFIG_INVALID, also for what takes more than the limits; BLM_NODE_APPLY_BUSY when it is given up.
 */
export async function readConfigAside(question: ConfigQuestion, options: AsideOptions): Promise<ConfigReading> {
  const { clock, signal, limits = ASIDE_LIMITS } = options;
  const characters = question.text.length + (question.inForce?.length ?? 0);
  if (characters <= limits.aloneCharacters) return readConfig(question);
  const givenUp = (): BloomeryError => new BloomeryError('BLM_NODE_APPLY_BUSY', 'the daemon is stopping');
  if (signal.aborted) throw givenUp();
  const tooLarge = (bound: string): BloomeryError =>
    new BloomeryError('BLM_TALOS_CONFIG_INVALID', `reading machine configuration: it takes more than ${bound}`);
  const thread = new Worker(new URL(THREAD_FILE, import.meta.url), {
    name: 'config',
    workerData: question,
    resourceLimits: { maxOldGenerationSizeMb: limits.memoryMb },
  });
  const { promise, resolve, reject } = Promise.withResolvers<ConfigReading>();
  thread.once('message', (answer: ThreadAnswer) => {
    if ('reading' in answer) resolve(answer.reading);
    else reject(refusal(answer.refusal));
  });
  thread.once('error', (error) => {
    const isFull = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    reject(isFull ? tooLarge(`${limits.memoryMb} MB of memory`) : error);
  });
  const giveUp = (): void => reject(givenUp());
  signal.addEventListener('abort', giveUp, { once: true });
  const late = clock.after(limits.timeMs, () => reject(tooLarge(`${limits.timeMs / 1_000} s`)));
  try {
    return await promise;
  } finally {
    late();
    signal.removeEventListener('abort', giveUp);
    await thread.terminate();
  }
}

const refusal = ({ code, message, facts }: { code: ErrorCode; message: string; facts: Facts }): BloomeryError =>
  new BloomeryError(code, message, { facts });
