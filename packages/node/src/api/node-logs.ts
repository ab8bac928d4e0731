import type { Clock, LogFields, Logger } from '@bloomery/ports';
import { createJournal, type Journal } from './journal.ts';

/** What the daemon has logged, by service, for `talosctl logs`. */
export interface NodeLogs {
  /** Logs to where it did before, and keeps the last lines. */
  readonly log: Logger;
  /** Names of the services that have logs. */
  readonly ids: readonly string[];
  journal(id: string): Journal<string> | undefined;
}

/** Whose log an event is, by the beginning of its name; the first that fits. */
const SERVICES: readonly (readonly [prefix: string, service: string])[] = [
  ['dns.', 'dns-resolve-cache'],
  ['host_dns.', 'dns-resolve-cache'],
  ['talos_api.', 'apid'],
  ['grpc.', 'apid'],
  ['controller.', 'controller-runtime'],
  ['runtime.', 'controller-runtime'],
  ['cosi.', 'controller-runtime'],
];
/** What is left is the daemon's own. */
const REST = 'machined';
const CONTROLLERS = 'controller-runtime';
const IDS = ['apid', CONTROLLERS, 'dns-resolve-cache', REST];
const MAX_CHARACTERS = 128 * 1024;
const MAX_LINE_CHARACTERS = 4_096;

/** Keep what `log` is told at info and above. */
export function createNodeLogs(log: Logger, clock: Clock): NodeLogs {
  const journals = new Map(
    IDS.map((id) => {
      const sizeOf = (line: string): number => line.length;
      const lost = (count: number): string => `… ${count} lines came faster than they were read`;
      return [id, createJournal({ maxSize: MAX_CHARACTERS, sizeOf, lost })];
    }),
  );
  const keep = (level: string, event: string, fields: LogFields): void => {
    const time = new Date(clock.nowMs()).toISOString();
    journals.get(serviceOf(event, fields))?.append(`${time} ${level} ${event}${factsText(fields)}`);
  };
  return { log: tee(log, keep, {}), ids: IDS, journal: (id) => journals.get(id) };
}

type Keep = (level: string, event: string, fields: LogFields) => void;

function tee(log: Logger, keep: Keep, known: LogFields): Logger {
  const all = (fields: LogFields | undefined): LogFields => ({ ...known, ...fields });
  return {
    debug: (event, fields) => log.debug(event, fields),
    info: (event, fields) => {
      log.info(event, fields);
      keep('INFO', event, all(fields));
    },
    warn: (event, fields) => {
      log.warn(event, fields);
      keep('WARN', event, all(fields));
    },
    error: (event, fields) => {
      log.error(event, fields);
      keep('ERROR', event, all(fields));
    },
    with: (fields) => tee(log.with(fields), keep, { ...known, ...fields }),
  };
}

function serviceOf(event: string, fields: LogFields): string {
  const named = SERVICES.find(([prefix]) => event.startsWith(prefix))?.[1];
  return named ?? (fields['controller'] === undefined ? REST : CONTROLLERS);
}

function factsText(fields: LogFields): string {
  if (Object.keys(fields).length === 0) return '';
  try {
    const text = JSON.stringify(fields, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
    return ` ${text.slice(0, MAX_LINE_CHARACTERS)}`;
  } catch {
    // A log line is never worth an exception: what refers to itself has no text.
    return ' {…}';
  }
}
