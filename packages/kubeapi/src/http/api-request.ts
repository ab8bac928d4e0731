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
  /** Path and query as they came, for the audit log. */
  readonly url?: string;
  /** IP address of the caller, for the audit log; absent for requests that no socket carried. */
  readonly sourceAddress?: string | undefined;
  /** Headers as they came, names and values in turn; absent where each was one line. */
  readonly rawHeaders?: readonly string[] | undefined;
}

/** The answer. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: ApiBody;
}

/**
 * Text or bytes; a list in pieces, made while it is sent so that it never stands in memory as a whole; or a watch, whose pieces
 * are to be flushed at once.
 */
export type ApiBody = string | Uint8Array | ListPieces | AsyncIterable<Uint8Array>;

/** The pieces of a large answer, in order, each of some 100 KB. Can be gone through once. */
export interface ListPieces {
  readonly pieces: Iterable<Uint8Array>;
}

/** Whether a body is a large answer in pieces. */
export function isListPieces(body: ApiBody): body is ListPieces {
  return typeof body === 'object' && 'pieces' in body;
}
