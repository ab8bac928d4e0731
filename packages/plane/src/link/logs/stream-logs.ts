import type { Clock } from '@bloomery/ports';
import { type KeptLine, linesOfAll, positionOf, searchedText, talosTimeMs } from './log-lines.ts';
import type { LogStore } from './log-store.ts';
import { mergeMachines, type WantedMachine } from './merge-machines.ts';
import { readSeries, type SeriesStart } from './series-reader.ts';

/** Most lines that `tail` may ask for. */
export const MAX_TAIL = 100_000;

/** Which lines are wanted. */
export interface LogQuery {
  /** Whose: all that came, or the newest of these machines. Asked again while the stream goes on. */
  readonly of: 'all' | (() => readonly { readonly server: string; readonly sinceMs?: number }[]);
  /** Go on with what comes. */
  readonly follow: boolean;
  /**
   * Not older than, Unix ms: by the time of receipt; of `all` by the machine's clock, and only lines that have a time are left out.
   */
  readonly sinceMs?: number;
  /** Of what is there already only the newest lines; at most MAX_TAIL. */
  readonly tail?: number;
  /** Only lines whose message this accepts. */
  readonly accepts?: (message: string) => boolean;
  /** The cursor of the last line that the reader has. */
  readonly after?: string;
  /** Each line begins with its cursor and a blank. */
  readonly withCursors: boolean;
}

/** What reading needs. */
export interface StreamLogsDeps {
  readonly store: Pick<LogStore, 'all' | 'machines' | 'onLines'>;
  readonly clock: Clock;
  /** Ends the stream. */
  readonly signal: AbortSignal;
}

const TAIL_BYTES = 64 * 1024 * 1024;
const TAIL_MEMORY_BYTES = 32 * 1024 * 1024;
/** Lines that come together are sent together. */
const GATHER_MS = 100;
const TURN_MS = 20;

/**
 * Read kept lines, and go on when asked to. The reader's pace is the stream's: nothing waits in memory for him, what he has not
 * read yet is in the files. Lines are never repeated; they are missing only where the files were too small for them.
 */
export async function* streamLogs(query: LogQuery, deps: StreamLogsDeps): AsyncGenerator<Buffer> {
  const { signal, store, clock } = deps;
  await using lines = query.of === 'all' ? readAll(query, store) : readMachines(query, query.of, deps);
  const isWanted = filterOf(query);
  const news = createNews(store, signal);
  try {
    let tail = query.tail === undefined || query.after !== undefined ? undefined : createTail(query.tail);
    for (;;) {
      news.seen();
      await lines.begin();
      for (let read = await lines.next(); read !== undefined && !signal.aborted; read = await lines.next()) {
        const wanted = isWanted === undefined ? read : await filtered(read, isWanted, deps);
        if (tail !== undefined) tail.add(wanted);
        else if (wanted.length > 0) yield bytesOf(wanted, query);
      }
      const last = tail?.lines() ?? [];
      tail = undefined;
      if (last.length > 0) yield bytesOf(last, query);
      if (!query.follow || signal.aborted) return;
      await news.wait();
      await clock.sleep(GATHER_MS, signal);
      if (signal.aborted) return;
    }
  } finally {
    news.stop();
  }
}

/** Lines in rounds: each takes what was received before it began. */
interface Rounds extends AsyncDisposable {
  begin(): Promise<void>;
  next(): Promise<readonly KeptLine[] | undefined>;
}

function readAll(query: LogQuery, { all }: StreamLogsDeps['store']): Rounds {
  const reader = readSeries(all, startOf(query));
  return {
    begin: () => all.flushed(),
    async next() {
      const part = await reader.read();
      return part === undefined ? undefined : linesOfAll(part);
    },
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}

function startOf({ after, tail, accepts, sinceMs }: LogQuery): SeriesStart | undefined {
  const position = after === undefined ? undefined : positionOf(after);
  if (position !== undefined) return position;
  if (tail !== undefined && accepts === undefined) return { lastBytes: tail === 0 ? 0 : TAIL_BYTES };
  return sinceMs === undefined ? undefined : { writtenSinceMs: sinceMs };
}

function readMachines(
  query: LogQuery,
  of: Exclude<LogQuery['of'], 'all'>,
  { store: { machines }, clock }: StreamLogsDeps,
): Rounds {
  const merged = mergeMachines((server) => machines.seriesOf(server));
  const after = Number(query.after ?? 0);
  let until = 0;
  return {
    async begin() {
      const found = of();
      // Lines that come while the machines are flushed one after the other are of the next round: so the order is that of receipt.
      until = query.follow ? Math.max(machines.lastStamp, clock.nowMs() * 1000 - 1) : Number.POSITIVE_INFINITY;
      for (const { server } of found) await machines.flushed(server);
      const wanted = found.map(({ server, sinceMs = 0 }): WantedMachine => {
        const fromMs = Math.max(sinceMs, query.sinceMs ?? 0);
        return { server, afterStamp: Math.max(after, fromMs * 1000 - 1) };
      });
      await merged.want(wanted);
    },
    next: () => merged.read(until),
    [Symbol.asyncDispose]: () => merged[Symbol.asyncDispose](),
  };
}

function filterOf({ of, sinceMs, accepts }: LogQuery): ((line: KeptLine) => boolean) | undefined {
  const byTime = of === 'all' && sinceMs !== undefined ? sinceMs : undefined;
  if (byTime === undefined && accepts === undefined) return undefined;
  return ({ bytes }) =>
    (byTime === undefined || (talosTimeMs(bytes) ?? byTime) >= byTime) &&
    (accepts === undefined || accepts(searchedText(bytes)));
}

/** A pattern may take long on a machine's lines: others have their turns in between. */
async function filtered(
  lines: readonly KeptLine[],
  isWanted: (line: KeptLine) => boolean,
  { clock, signal }: StreamLogsDeps,
): Promise<readonly KeptLine[]> {
  const wanted: KeptLine[] = [];
  let turnMs = clock.nowMs();
  for (const line of lines) {
    if (isWanted(line)) wanted.push(line);
    if (clock.nowMs() - turnMs < TURN_MS) continue;
    await clock.sleep(0, signal);
    if (signal.aborted) break;
    turnMs = clock.nowMs();
  }
  return wanted;
}

function bytesOf(lines: readonly KeptLine[], { withCursors }: LogQuery): Buffer {
  return Buffer.concat(
    lines.flatMap(({ cursor, bytes }) => (withCursors ? [Buffer.from(`${cursor} `), bytes] : [bytes])),
  );
}

/** The newest lines, bounded in number and size. */
function createTail(count: number) {
  let kept: KeptLine[] = [];
  let size = 0;
  return {
    add(lines: readonly KeptLine[]): void {
      kept.push(...lines);
      size += lines.reduce((sum, { bytes }) => sum + bytes.length, 0);
      let first = Math.max(0, kept.length - count);
      for (const { bytes } of kept.slice(0, first)) size -= bytes.length;
      for (; size > TAIL_MEMORY_BYTES && first < kept.length; first++) size -= kept[first]?.bytes.length ?? 0;
      if (first > 0) kept = kept.slice(first);
    },
    lines: (): readonly KeptLine[] => kept,
  };
}

/** Waits for lines that came since `seen()`. */
function createNews(store: StreamLogsDeps['store'], signal: AbortSignal) {
  let isNew = false;
  let wake: (() => void) | undefined;
  const tell = (): void => {
    isNew = true;
    wake?.();
  };
  const forget = store.onLines(tell);
  signal.addEventListener('abort', tell, { once: true });
  return {
    seen(): void {
      isNew = false;
    },
    async wait(): Promise<void> {
      if (isNew || signal.aborted) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = undefined;
    },
    stop(): void {
      forget();
      signal.removeEventListener('abort', tell);
    },
  };
}
