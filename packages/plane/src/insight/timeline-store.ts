import { type Clock, errorText, type Logger, rememberNewest } from '@bloomery/ports';
import type { TimelineDraft, TimelineEntry, TimelineRecorder, TimelineSource, TimelineSubject } from './timeline.ts';
import { openTimelineDatabase, type StoredEntry, type TimelineDatabase } from './timeline-database.ts';

/** What to look for. Absent fields do not restrict. */
export interface TimelineQuery {
  /** Entries about any of these; entries made before a machine's name was known are found by its MAC. */
  readonly about?: TimelineSubject;
  readonly sources?: readonly TimelineSource[];
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly afterSeq?: number;
  /** The newest so many; 1000 unless given, at most 10,000. */
  readonly limit?: number;
}

/** The marks of all machines, kept over restarts. */
export interface Timeline extends TimelineRecorder, AsyncDisposable {
  /** Oldest first. */
  query(query: TimelineQuery): readonly TimelineEntry[];
  /** Entries that come from now on, until the signal aborts. A slow reader loses the oldest of 1000 and sees a gap in `seq`. */
  follow(query: TimelineQuery, signal: AbortSignal): AsyncIterable<TimelineEntry>;
}

/** What the timeline needs. */
export interface TimelineDeps {
  /** SQLite file, or `:memory:`. */
  readonly file: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const FLUSH_MS = 100;
const PENDING_MAX = 1_000;
const FOLLOWER_MAX = 1_000;
const SUMMARY_MAX = 500;
const FACTS_MAX_BYTES = 4_096;
const LIMIT_DEFAULT = 1_000;
const LIMIT_MAX = 10_000;
const KEEP_MS = 30 * 24 * 3_600_000;
const KEEP_BYTES = 2 ** 30;
const PRUNE_EVERY_MS = 600_000;

/** Open the timeline. Entries are on disk 100 ms after they were recorded; what cannot be written is lost and logged. */
export function openTimeline({ file, clock, log }: TimelineDeps): Timeline {
  const db = openTimelineDatabase(file);
  const aliases = new Map(db.aliases());
  const followers = new Set<Follower>();
  const writer = createWriter(db, clock, log);
  const owners = createAddressOwners();
  let seq = db.lastSeq();
  let cancelPrune = (): void => {};
  const prune = (): void => {
    attempt(log, () => db.prune(clock.nowMs() - KEEP_MS, KEEP_BYTES));
    cancelPrune = clock.after(PRUNE_EVERY_MS, prune);
  };
  prune();
  return {
    record: (draft) => {
      const timeMs = clock.nowMs();
      const entry = { ...bounded(draft), seq: ++seq, time: new Date(timeMs).toISOString() };
      const keys = owners.complete(draft.about, subjectKeys(draft.about), timeMs);
      writer.add({ entry, timeMs, keys }, learn(aliases, draft.about));
      for (const follower of followers) follower.offer(entry, resolved(keys, aliases));
    },
    query: (query) => {
      writer.flush();
      return db.read({ ...query, ...keysOf(query, aliases), limit: Math.min(query.limit ?? LIMIT_DEFAULT, LIMIT_MAX) });
    },
    follow: (query, signal) => followEntries(query, followers, aliases, signal),
    [Symbol.asyncDispose]: async () => {
      cancelPrune();
      writer.close();
      db.close();
    },
  };
}

interface AddressOwners {
  /** Learn whose address this is, or, for an entry with nothing but an address, add the key of its owner. */
  complete(about: TimelineSubject, keys: readonly string[], nowMs: number): readonly string[];
}

/** Addresses change hands: only what was seen a short while ago counts. */
const ADDRESS_OWNED_MS = 15 * 60_000;
const ADDRESSES_MAX = 20_000;

function createAddressOwners(): AddressOwners {
  const owners = new Map<string, { readonly key: string; readonly atMs: number }>();
  return {
    complete: ({ address }, keys, nowMs) => {
      if (address === undefined) return keys;
      const known = owners.get(address);
      const isFresh = known !== undefined && nowMs - known.atMs < ADDRESS_OWNED_MS;
      if (keys.length === 0) return isFresh ? [known.key] : keys;
      const key = keys.find((k) => k.startsWith('server:')) ?? keys.find((k) => k.startsWith('mac:'));
      if (key === undefined) return keys;
      rememberNewest(owners, address, { key, atMs: nowMs }, ADDRESSES_MAX);
      return keys;
    },
  };
}

interface Writer {
  add(entry: StoredEntry, alias: readonly [string, string] | undefined): void;
  flush(): void;
  close(): void;
}

function createWriter(db: TimelineDatabase, clock: Clock, log: Logger): Writer {
  let pending: StoredEntry[] = [];
  let aliases = new Map<string, string>();
  let cancel: (() => void) | undefined;
  const flush = (): void => {
    cancel?.();
    cancel = undefined;
    if (pending.length === 0 && aliases.size === 0) return;
    const [entries, links] = [pending, aliases];
    pending = [];
    aliases = new Map();
    attempt(log, () => db.write(entries, links));
  };
  return {
    add: (entry, alias) => {
      pending.push(entry);
      if (alias !== undefined) aliases.set(...alias);
      if (pending.length >= PENDING_MAX) flush();
      else cancel ??= clock.after(FLUSH_MS, flush);
    },
    flush,
    close: flush,
  };
}

interface Follower {
  offer(entry: TimelineEntry, keys: ReadonlySet<string>): void;
}

async function* followEntries(
  query: TimelineQuery,
  followers: Set<Follower>,
  aliases: ReadonlyMap<string, string>,
  signal: AbortSignal,
): AsyncGenerator<TimelineEntry> {
  const waiting: TimelineEntry[] = [];
  let wake = (): void => {};
  const wanted = query.about === undefined ? undefined : resolved(subjectKeys(query.about), aliases);
  const follower: Follower = {
    offer: (entry, keys) => {
      if (wanted?.isDisjointFrom(keys) === true) return;
      if (query.sources !== undefined && !query.sources.includes(entry.source)) return;
      waiting.push(entry);
      if (waiting.length > FOLLOWER_MAX) waiting.shift();
      wake();
    },
  };
  const aborted = (): void => wake();
  followers.add(follower);
  signal.addEventListener('abort', aborted, { once: true });
  try {
    while (!signal.aborted) {
      const next = waiting.shift();
      if (next !== undefined) yield next;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    followers.delete(follower);
    signal.removeEventListener('abort', aborted);
  }
}

/** Every key of a query: those it names, and those that were linked to them before or after. */
function keysOf(query: TimelineQuery, aliases: ReadonlyMap<string, string>): { readonly keys?: readonly string[] } {
  if (query.about === undefined) return {};
  const keys = resolved(subjectKeys(query.about), aliases);
  const linked = [...aliases].filter(([, target]) => keys.has(target)).map(([key]) => key);
  return { keys: [...keys, ...linked] };
}

function resolved(keys: readonly string[], aliases: ReadonlyMap<string, string>): ReadonlySet<string> {
  return new Set(keys.flatMap((key) => [key, ...(aliases.has(key) ? [aliases.get(key) ?? key] : [])]));
}

/** An entry that names both a MAC and a server tells whose earlier entries the MAC's are. */
function learn(aliases: Map<string, string>, about: TimelineSubject): readonly [string, string] | undefined {
  if (about.mac === undefined || about.server === undefined) return undefined;
  const link = [`mac:${about.mac.toLowerCase()}`, `server:${about.server}`] as const;
  if (aliases.get(link[0]) === link[1]) return undefined;
  aliases.set(...link);
  return link;
}

function subjectKeys(about: TimelineSubject): readonly string[] {
  return Object.entries(about).flatMap(([field, value]: [string, string | undefined]) =>
    value === undefined || field === 'address' ? [] : [`${field}:${field === 'mac' ? value.toLowerCase() : value}`],
  );
}

function bounded(draft: TimelineDraft): TimelineDraft {
  const { facts, ...rest } = draft;
  const isSmall = facts !== undefined && JSON.stringify(facts).length <= FACTS_MAX_BYTES;
  return { ...rest, summary: draft.summary.slice(0, SUMMARY_MAX), ...(isSmall ? { facts } : {}) };
}

function attempt(log: Logger, work: () => void): void {
  try {
    work();
  } catch (error) {
    log.error('timeline.write_failed', { error: errorText(error) });
  }
}
