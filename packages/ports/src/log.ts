/** Facts of one log line. Never secrets, never config bodies. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Structured logging. `event` is a dotted name used in one place only (`server.registered`), facts are fields.
 * error = a person must act; warn = worked round; info = a state changed; debug = the rest.
 */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A logger that adds these fields to every line. */
  with(fields: LogFields): Logger;
}

/** A logger that drops everything: for tests and tools. */
export const silentLog: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
};
