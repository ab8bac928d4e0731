import { type Clock, rememberNewest } from '@bloomery/ports';
import { quoteError } from '../../insight/quote-error.ts';
import type { TimelineRecorder } from '../../insight/timeline.ts';

/** Picks the few kernel lines of a machine that belong on its timeline. */
export interface KernelMarks {
  /** Look at a line of a Server. Never throws. */
  see(server: string, line: string): void;
}

/** What marking needs. */
export interface KernelMarksDeps {
  readonly timeline: TimelineRecorder;
  readonly clock: Clock;
}

const SERVERS_MAX = 20_000;
const KINDS_MAX = 32;
const EVERY_MS = 60_000;
const FORGET_MS = 3_600_000;
const SUMMARY_MAX = 160;
const PRIORITY = '"priority":"';
const SEVERITY: Readonly<Record<string, 'warning' | 'error'>> = {
  emerg: 'error',
  alert: 'error',
  crit: 'error',
  err: 'warning',
};
/** The first letters of those: nothing else is looked at closer. */
const FIRST_LETTERS: ReadonlySet<string> = new Set(['e', 'a', 'c']);

interface Seen {
  markedMs: number;
  /** When each kind of message was marked. */
  readonly kinds: Map<string, number>;
}

/**
 * Make the marks. Only what the kernel itself says counts, with priority err or worse: programs may write anything to its log,
 * also secrets. Of a machine at most one line a minute is marked, and of lines that differ in numbers only one an hour.
 */
export function createKernelMarks({ timeline, clock }: KernelMarksDeps): KernelMarks {
  const machines = new Map<string, Seen>();
  return {
    see(server, line) {
      const at = line.indexOf(PRIORITY);
      if (at < 0 || !FIRST_LETTERS.has(line[at + PRIORITY.length] ?? '')) return;
      const { facility, priority, msg, clock: sinceBootUs, seq } = fieldsOf(line);
      const severity = typeof priority === 'string' ? SEVERITY[priority] : undefined;
      if (severity === undefined || facility !== 'kern' || typeof msg !== 'string') return;
      const seen = machines.get(server) ?? { markedMs: Number.NEGATIVE_INFINITY, kinds: new Map() };
      const nowMs = clock.nowMs();
      const kind = msg.slice(0, SUMMARY_MAX).replace(/0x[\da-f]+|\d+/gi, '#');
      if (nowMs - seen.markedMs < EVERY_MS || nowMs - (seen.kinds.get(kind) ?? Number.NEGATIVE_INFINITY) < FORGET_MS)
        return;
      seen.markedMs = nowMs;
      rememberNewest(seen.kinds, kind, nowMs, KINDS_MAX);
      rememberNewest(machines, server, seen, SERVERS_MAX);
      timeline.record({
        source: 'kernel',
        about: { server },
        stage: 'Kernel',
        severity,
        event: 'KernelError',
        summary: `kernel: ${quoteError(msg, SUMMARY_MAX)}`,
        facts: { priority, ...numbers({ seq, clock: sinceBootUs }) },
      });
    },
  };
}

function fieldsOf(line: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}

/** What is a number: a machine may have put anything in its place. */
function numbers(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (typeof value === 'number' ? [[name, value]] : [])),
  );
}
