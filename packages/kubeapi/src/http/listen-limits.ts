/** Bounds of the HTTPS listener. Times in milliseconds. */
export interface ListenLimits {
  /** Open connections; more are closed at once. */
  readonly connections: number;
  /** Open streams of one connection of HTTP/2: a client with many informers has one for each. */
  readonly streams: number;
  /** What one connection of HTTP/2 may hold before it gets no new streams, in megabytes. */
  readonly sessionMegabytes: number;
  /** Size of a request body. */
  readonly bodyBytes: number;
  /** From the start of a request until its headers are there. */
  readonly headersMs: number;
  /** From the start of a request until its body is there. */
  readonly requestMs: number;
  /** A connection without a request is closed after this. */
  readonly idleMs: number;
  /** A caller that takes nothing of an answer for this long is given up. */
  readonly stalledMs: number;
  /** At a stop, answers have this long to end. */
  readonly graceMs: number;
}

/** The bounds that hold unless a test says otherwise. */
export const LISTEN_LIMITS: ListenLimits = {
  connections: 20_000,
  streams: 1000,
  sessionMegabytes: 64,
  bodyBytes: 3 * 1024 * 1024,
  headersMs: 15_000,
  requestMs: 60_000,
  idleMs: 120_000,
  stalledMs: 60_000,
  graceMs: 1000,
};
