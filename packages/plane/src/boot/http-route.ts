/** One HTTP request of a machine. Bodies of requests are never read: machines only fetch. */
export interface MachineRequest {
  readonly method: 'GET' | 'HEAD';
  /** Decoded path, always starting with `/`; repeated slashes are kept. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names; repeated headers are joined by Node's rules. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Address of the peer, IPv4 in plain form (never `::ffff:`). */
  readonly address: string;
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal;
}

/** The answer to a machine. A HEAD request gets the same answer without the body. */
export interface MachineAnswer {
  readonly status: number;
  /** Lower-case names. `content-length` is set for string and byte bodies; give it for streams. */
  readonly headers?: Readonly<Record<string, string | number>>;
  /** Text is UTF-8. A stream is read only for GET and is closed when the client goes away. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

/** A part of the machine port's HTTP surface. The longest prefix wins; a prefix without a trailing slash matches that path alone. */
export interface HttpRoute {
  readonly prefix: string;
  /** Never retried. A throw is answered 500 with an empty body and logged. */
  readonly handle: (request: MachineRequest) => MachineAnswer | Promise<MachineAnswer>;
}
