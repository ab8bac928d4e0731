import type { Clock } from '@bloomery/ports';

/** A stream that people or programs read. */
export interface TextOutput {
  write(text: string): void;
  readonly isTerminal: boolean;
}

/** Everything outside that the commands use. */
export interface CliDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results. */
  readonly stdout: TextOutput;
  /** Notes, progress, errors. */
  readonly stderr: TextOutput;
  readonly clock: Clock;
  /** Of this program. */
  readonly version: string;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
}
