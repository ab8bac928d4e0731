import type { MachineTimeline } from '@bloomery/model';
import { usageError } from '../exit-code.ts';
import { durationText, parseDuration } from '../output/age.ts';
import type { Session } from '../session.ts';
import { findArgument, readTimeline } from './insight.ts';

/** Options of `bloomery timeline`. */
export interface TimelineOptions {
  readonly follow?: boolean;
  readonly since?: string;
  readonly source?: string;
  readonly json?: boolean;
  readonly output?: string;
}

type Entry = NonNullable<MachineTimeline['entries']>[number];

const FOLLOW_EVERY_MS = 1_000;

/** `bloomery timeline KIND/NAME`: what happened to a machine, one line or JSON object for each mark. */
export async function timeline(session: Session, words: readonly string[], options: TimelineOptions): Promise<void> {
  const isWanted = entryFilter(options, session.deps.clock.nowMs());
  const isJson = options.json === true || options.output === 'json';
  const found = await findArgument(session, words);
  const { stdout, stderr, clock, signal } = session.deps;
  let seen = 0;
  for (;;) {
    const { entries = [] } = await readTimeline(session, found);
    const fresh = entries.filter((entry) => entry.seq > seen && isWanted(entry));
    stdout.write(fresh.map((entry) => `${isJson ? JSON.stringify(entry) : entryText(entry)}\n`).join(''));
    if (seen === 0 && fresh.length === 0) stderr.write('No entries yet.\n');
    seen = Math.max(seen, 1, entries.at(-1)?.seq ?? 0);
    if (options.follow !== true) return;
    await new Promise<void>((resolve) => {
      const keepAlive = setInterval(() => {}, FOLLOW_EVERY_MS);
      void clock.sleep(FOLLOW_EVERY_MS, signal).then(() => {
        clearInterval(keepAlive);
        resolve();
      });
    });
    if (signal.aborted) return;
  }
}

/** One mark as a line: time, source, stage, what happened, how long it took. */
export function entryText({ time, source, stage, severity, summary, durationMs }: Entry): string {
  const took =
    durationMs === undefined ? '' : ` (${durationMs < 1000 ? `${durationMs} ms` : durationText(durationMs)})`;
  const mark = severity === 'info' ? '' : `${severity}: `;
  return `${time}  ${source.padEnd(6)}  ${stage.padEnd(10)}  ${mark}${summary}${took}`;
}

function entryFilter(options: TimelineOptions, nowMs: number): (entry: Entry) => boolean {
  const sources = options.source === undefined ? undefined : new Set(options.source.split(','));
  const sinceMs = options.since === undefined ? undefined : parseDuration(options.since);
  if (options.since !== undefined && sinceMs === undefined) {
    throw usageError(`--since ${options.since} is not a duration such as 90s, 2h or 1h30m`);
  }
  return (entry) =>
    (sources === undefined || sources.has(entry.source)) &&
    (sinceMs === undefined || Date.parse(entry.time) >= nowMs - sinceMs);
}
