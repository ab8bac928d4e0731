/** What a request was, in the labels of the usual metrics. Bounded: only what is served appears. */
export interface RequestLabels {
  /** Upper-case as in the metrics of kube-apiserver: GET, LIST, WATCH, POST, PUT, PATCH, APPLY, DELETE, DELETECOLLECTION. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** For requests that are for no resource: the first segment of the path, such as `/healthz`. */
  readonly subresource: string;
  readonly scope: '' | 'cluster' | 'namespace' | 'resource';
  readonly dryRun: boolean;
}

/** Sees what the API does, for metrics. Called on the hot path: must not throw, must not wait. */
export interface ApiObserver {
  /** A request was answered; a watch when it ended. `bytes` only where the length is known. */
  answered(labels: RequestLabels, code: number, durationMs: number, bytes: number | undefined): void;
  watchStarted(labels: RequestLabels): void;
  watchEnded(labels: RequestLabels): void;
  /** Lines were sent to a watcher. */
  watchEvents(labels: RequestLabels, events: number, bytes: number): void;
  /** A request was refused before it was looked at (429), or took too long (504). */
  terminated(labels: RequestLabels, code: 429 | 504): void;
}

/** Sees nothing. */
export const NO_OBSERVER: ApiObserver = {
  answered() {},
  watchStarted() {},
  watchEnded() {},
  watchEvents() {},
  terminated() {},
};
