import type { User } from '../auth/user.ts';

/** One request to the API, whatever carried it. */
export interface ApiRequest {
  readonly method: string;
  /** Path without the query, still encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body, read when it is needed; bounded by the listener. */
  readonly body: () => Promise<Uint8Array>;
  /** Undefined: credentials were presented and are wrong. */
  readonly user: User | undefined;
  /** Aborts when the caller is gone or the server stops. */
  readonly signal: AbortSignal;
}

/** The answer. A stream is a watch: text pieces, each to be flushed at once. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Uint8Array | AsyncIterable<string>;
}
