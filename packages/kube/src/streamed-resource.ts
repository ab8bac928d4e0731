/** A request to a streamed resource. Who asks was authenticated and may do so. */
export interface StreamRequest {
  /** Undefined: the path names no namespace. */
  readonly namespace: string | undefined;
  /** Undefined: the collection. */
  readonly name: string | undefined;
  readonly query: URLSearchParams;
  /** Name of who asks. */
  readonly user: string;
  /** Aborts when the caller is gone or the server stops. */
  readonly signal: AbortSignal;
}

/** A stream as an answer. */
export interface StreamAnswer {
  readonly contentType: string;
  /** Read at the caller's pace, and always to its end or up to `return()`, but perhaps never begun. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/**
 * A resource that is read as a stream, as a pod's log is: `GET /apis/GROUP/VERSION/[namespaces/NS/]PLURAL[/NAME]`. It has no objects
 * and is not in discovery. RBAC asks for `get` of a name and `list` of a collection.
 */
export interface StreamedResource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  /** Begin to answer. @throws API errors, see apiError. */
  open(request: StreamRequest): StreamAnswer;
}
