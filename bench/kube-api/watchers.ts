import { BENCH_PATH, STAMP } from './bench-objects.ts';
import { Connection, type Target } from './connection.ts';
import { machineMs, percentile } from './load-jobs.ts';

const EVENT_END = Buffer.from('}\n');
const STAMP_BYTES = Buffer.from(STAMP);
const HEAD_END = Buffer.from('\r\n\r\n');

/** What the watchers saw. Times in milliseconds. */
export interface WatchFigures {
  readonly events: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** Watches of the whole collection, each on a connection of its own. */
export interface Watchers {
  /** Events so far, over all watches. */
  readonly events: () => number;
  /** End the watches. */
  readonly stop: () => WatchFigures;
}

/** Start `count` watches at a resourceVersion; resolves when all of them were answered. */
export async function startWatchers(target: Target, count: number, resourceVersion: string): Promise<Watchers> {
  const connections = await Promise.all(Array.from({ length: count }, () => Connection.open(target)));
  const latencies: number[] = [];
  let events = 0;
  let firstMs = 0;
  let lastMs = 0;
  const started = connections.map(
    (connection) =>
      new Promise<void>((resolve) => {
        const path = `${BENCH_PATH}?watch=1&resourceVersion=${resourceVersion}&timeoutSeconds=600`;
        let answered = false;
        let endsInBrace = false;
        connection.stream(connection.encode('GET', path), (bytes) => {
          const atMs = machineMs();
          if (!answered) {
            if (!bytes.includes(HEAD_END)) throw new Error('the head of a watch came in pieces');
            if (!bytes.toString('latin1', 9, 12).startsWith('200'))
              throw new Error(bytes.toString('latin1').slice(0, 500));
            answered = true;
            resolve();
          }
          const found = countOf(bytes, EVENT_END) + (endsInBrace && bytes[0] === 0x0a ? 1 : 0);
          endsInBrace = bytes[bytes.length - 1] === 0x7d;
          if (found === 0) return;
          if (events === 0) firstMs = atMs;
          lastMs = atMs;
          events += found;
          noteLatencies(bytes, atMs, latencies);
        });
      }),
  );
  await Promise.all(started);
  return {
    events: () => events,
    stop() {
      for (const connection of connections) connection.close();
      const sorted = Float64Array.from(latencies).sort();
      return {
        events,
        perSecond: events / ((lastMs - firstMs) / 1000),
        p50: percentile(sorted, 0.5),
        p99: percentile(sorted, 0.99),
      };
    },
  };
}

function countOf(bytes: Buffer, wanted: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + wanted.length)) count += 1;
  return count;
}

/** Stamps that lie across two pieces are passed over. */
function noteLatencies(bytes: Buffer, atMs: number, latencies: number[]): void {
  for (let at = bytes.indexOf(STAMP_BYTES); at >= 0; at = bytes.indexOf(STAMP_BYTES, at + 20)) {
    const from = at + STAMP_BYTES.length;
    const end = bytes.indexOf(0x22, from);
    if (end > 0 && end - from < 24) latencies.push(atMs - Number(bytes.toString('latin1', from, end)));
  }
}
