/** Time from outside, so that controllers and servers can be run in virtual time. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Resolves after `delayMs`, or at once when `signal` aborts (never rejects). */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once after `delayMs`; the returned function cancels. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Random bytes from outside, so that runs can be replayed from a seed. */
export type RandomBytes = (length: number) => Uint8Array;
