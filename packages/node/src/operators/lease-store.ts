import { readFileSync } from 'node:fs';
import { errorText, type Logger, oneRunBehind } from '@bloomery/ports';
import { writeDurably } from '../config/durable-file.ts';
import type { HostName } from './operator.ts';

/** A lease as it is remembered. */
export interface StoredLease {
  /** Milliseconds since the epoch; undefined: never. */
  readonly endsMs: number | undefined;
  /** What the server said last. */
  readonly message: Uint8Array;
  /** The name that the server has given, in that message or an earlier one. */
  readonly hostname?: HostName;
}

/** What one client remembers of its lease over a restart of the daemon. */
export interface LeaseMemory {
  /** undefined: nothing. */
  load(): StoredLease | undefined;
  /** Written behind the caller: a failing disk is said, and stops nobody. */
  save(lease: StoredLease): void;
  forget(): void;
}

/** The leases of a host. */
export interface LeaseStore {
  /** @param id of the operator. @param holder To whom it was leased: remembered for nobody else. */
  memoryOf(id: string, holder: string): LeaseMemory;
  /** Resolves when all of them are on disk, or the disk has refused them. */
  settled(): Promise<void>;
}

/** Remembers nothing. */
export const NO_MEMORY: LeaseMemory = {
  load: () => undefined,
  save: () => {},
  forget: () => {},
};

/** Leases that are kept; of more, the one that was written first goes. */
const LEASES_MAX = 1_024;

/** A lease in the file. */
interface Entry {
  readonly holder: string;
  /** null: never. */
  readonly endsMs: number | null;
  /** base64 */
  readonly message: string;
  readonly hostname?: HostName;
}

/** Leases in one file of the daemon's folder (0600), which need not be there. What cannot be read of it is left out, and said. */
export function openLeaseStore(file: string, log: Logger): LeaseStore {
  const entries = readEntries(file, log);
  const write = oneRunBehind(async () => {
    try {
      await writeDurably(file, `${JSON.stringify(Object.fromEntries(entries))}\n`, 0o600);
    } catch (error) {
      log.warn('dhcp.leases-unwritten', { file, problem: errorText(error) });
    }
  });
  let written: Promise<void> = Promise.resolve();
  return {
    memoryOf: (id, holder) => ({
      load: () => {
        const entry = entries.get(id);
        return entry?.holder === holder ? storedLease(entry) : undefined;
      },
      save: (lease) => {
        entries.delete(id);
        entries.set(id, entryOf(holder, lease));
        for (const oldest of [...entries.keys()].slice(0, -LEASES_MAX)) entries.delete(oldest);
        written = write();
      },
      forget: () => {
        if (entries.delete(id)) written = write();
      },
    }),
    settled: () => written,
  };
}

function entryOf(holder: string, { endsMs, message, hostname }: StoredLease): Entry {
  return {
    holder,
    endsMs: endsMs ?? null,
    message: Buffer.from(message).toString('base64'),
    ...(hostname === undefined ? {} : { hostname: { hostname: hostname.hostname, domainname: hostname.domainname } }),
  };
}

function storedLease({ endsMs, message, hostname }: Entry): StoredLease {
  return {
    endsMs: endsMs ?? undefined,
    message: Uint8Array.from(Buffer.from(message, 'base64')),
    ...(hostname === undefined ? {} : { hostname }),
  };
}

function readEntries(file: string, log: Logger): Map<string, Entry> {
  try {
    const read: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return new Map(Object.entries(read ?? {}).filter((pair): pair is [string, Entry] => isEntry(pair[1])));
  } catch (error) {
    const isNew = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isNew) log.warn('dhcp.leases-unreadable', { file, problem: errorText(error) });
    return new Map();
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { holder, endsMs, message, hostname } = value as Partial<Record<keyof Entry, unknown>>;
  const isEnd = endsMs === null || typeof endsMs === 'number';
  return typeof holder === 'string' && typeof message === 'string' && isEnd && isHostName(hostname);
}

function isHostName(value: unknown): value is HostName | undefined {
  if (value === undefined) return true;
  if (typeof value !== 'object' || value === null || !('hostname' in value) || !('domainname' in value)) return false;
  return typeof value.hostname === 'string' && typeof value.domainname === 'string';
}
