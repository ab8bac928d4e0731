import { appendFileSync, chmodSync, closeSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { BootRecord } from './boot-session-state.ts';

/** Keeps the records of BootSessions over restarts. */
export interface BootSessionStore {
  /** Everything kept, oldest first. */
  load(): readonly BootRecord[];
  /** Returns when the record survives the end of this process. */
  append(record: BootRecord): void;
  /** Replace everything by these. */
  rewrite(records: readonly BootRecord[]): void;
  close(): void;
}

/** A store that keeps nothing. */
export const memorySessionStore: BootSessionStore = { load: () => [], append() {}, rewrite() {}, close() {} };

/**
 * A store in one file of JSON lines, mode 0600 as it holds tokens. A torn last line (kill in the middle of a write) is ignored.
 *
 * A write that fails (a full disk) is told and lost: the boots under way go on from memory, only a restart forgets them.
 *
 * @param path in an existing folder
 * @throws when the file cannot be opened
 */
export function openSessionFile(path: string, onFailure: (error: unknown) => void): BootSessionStore {
  let fd = openSync(path, 'a', 0o600);
  chmodSync(path, 0o600);
  // A failed append may have left half a line: the next one begins a line of its own.
  let separator = '';
  const orTell = (write: () => void): void => {
    try {
      write();
    } catch (error) {
      separator = '\n';
      onFailure(error);
    }
  };
  return {
    load: () => readFileSync(path, 'utf8').split('\n').flatMap(parseRecord),
    append: (record) =>
      orTell(() => {
        appendFileSync(fd, `${separator}${JSON.stringify(record)}\n`);
        separator = '';
      }),
    rewrite: (records) =>
      orTell(() => {
        const temporary = `${path}.new`;
        writeFileSync(temporary, records.map((record) => `${JSON.stringify(record)}\n`).join(''), { mode: 0o600 });
        renameSync(temporary, path);
        closeSync(fd);
        fd = openSync(path, 'a', 0o600);
        separator = '';
      }),
    close: () => closeSync(fd),
  };
}

function parseRecord(line: string): BootRecord[] {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? [value] : [];
  } catch {
    return [];
  }
}

function isRecord(value: unknown): value is BootRecord {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  if (value.type === 'boot') return 'boot' in value && typeof value.boot === 'object';
  if (value.type === 'seen') return 'seen' in value && typeof value.seen === 'object';
  return value.type === 'closed' && 'server' in value && typeof value.server === 'string';
}
