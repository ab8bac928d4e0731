/** Where an entry came from. */
export type TimelineSource =
  | 'boot'
  | 'bmc'
  | 'agent'
  | 'kernel'
  | 'talos'
  | 'link'
  | 'config'
  | 'capi'
  | 'store'
  | 'user'
  | 'alloc';

/** What an entry is about. `mac` and `address` join entries made before the Server was known. */
export interface TimelineSubject {
  /** Server name (canonical UUID). */
  readonly server?: string;
  /** Lower case with colons. */
  readonly mac?: string;
  readonly address?: string;
  /** namespace/name */
  readonly metalMachine?: string;
  /** namespace/name */
  readonly machine?: string;
  /** namespace/name */
  readonly cluster?: string;
}

/** One mark on a machine's timeline, before it has its sequence number. */
export interface TimelineDraft {
  readonly source: TimelineSource;
  readonly about: TimelineSubject;
  /** Step of the journey: `Discover`, `Offered`, `Tftp`, `Script`, `Kernel`, `Initrd`, `AgentHello`, `Registered`, `Accepted`, `Wiping`, … */
  readonly stage: string;
  readonly severity: 'info' | 'warning' | 'error';
  /** Registry id, UpperCamelCase (`BootScriptServed`). */
  readonly event: string;
  /** One line for people. Never secrets. */
  readonly summary: string;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly durationMs?: number;
}

export interface TimelineEntry extends TimelineDraft {
  /** Order of arrival, from 1, also over restarts. */
  readonly seq: number;
  /** RFC 3339 with microseconds or milliseconds. */
  readonly time: string;
}

/** Where the steps of the journey leave their marks. Never throws, never blocks. */
export interface TimelineRecorder {
  record(draft: TimelineDraft): void;
}
