import { BENCH_PATH, benchName, benchObject, benchStatusPatch } from './bench-objects.ts';
import { type BenchConnection, demand } from './connection.ts';

const MERGE_PATCH = 'application/merge-patch+json';

/** How long requests took. */
export interface LoadFigures {
  /** Requests (or whatever the job counts) per second. */
  readonly perSecond: number;
  /** Milliseconds from sending a request to the last byte of its answer. */
  readonly p50: number;
  readonly p99: number;
  readonly count: number;
}

/** The value below which a share of the sorted values lies. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The clock that all processes of the machine share, in milliseconds. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export function figuresOf(timesMs: readonly number[], tookMs: number): LoadFigures {
  const sorted = Float64Array.from(timesMs).sort();
  return {
    perSecond: timesMs.length / (tookMs / 1000),
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    count: timesMs.length,
  };
}

/** Requests 0…count-1 over all connections, each connection taking the next one when its last was answered. */
async function spread(
  connections: readonly BenchConnection[],
  count: number,
  request: (connection: BenchConnection, index: number) => Promise<void>,
): Promise<LoadFigures> {
  const times: number[] = [];
  let next = 0;
  const startedMs = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      while (next < count) {
        const index = next++;
        const sentMs = performance.now();
        await request(connection, index);
        times.push(performance.now() - sentMs);
      }
    }),
  );
  return figuresOf(times, performance.now() - startedMs);
}

/** Create the whole collection. */
export async function createAll(
  connections: readonly BenchConnection[],
  count: number,
  racks: number,
): Promise<LoadFigures> {
  const [first] = connections;
  if (first === undefined) throw new RangeError('no connections');
  const requests = Array.from({ length: count }, (_, i) => first.encode('POST', BENCH_PATH, benchObject(i, racks)));
  return spread(connections, count, async (connection, index) => {
    const request = requests[index];
    if (request !== undefined) demand(await connection.send(request), `create ${index}`);
  });
}

/** Patch the status of different objects; each patch says when it was sent. */
export function patchStatus(
  connections: readonly BenchConnection[],
  count: number,
  objects: number,
): Promise<LoadFigures> {
  return spread(connections, count, async (connection, index) => {
    const path = `${BENCH_PATH}/${benchName((index * 7919) % objects)}/status`;
    const patch = benchStatusPatch(machineMs().toFixed(3));
    demand(await connection.send(connection.encode('PATCH', path, patch, MERGE_PATCH)), `patch ${index}`);
  });
}

/** Read different objects. */
export function getObjects(
  connections: readonly BenchConnection[],
  count: number,
  objects: number,
): Promise<LoadFigures> {
  return spread(connections, count, async (connection, index) => {
    const path = `${BENCH_PATH}/${benchName((index * 7919) % objects)}`;
    demand(await connection.send(connection.encode('GET', path)), `get ${index}`);
  });
}

/** Read one object, change it and write it back, until `count` writes succeeded; who comes too late starts over. */
export async function contend(connections: readonly BenchConnection[], count: number): Promise<LoadFigures> {
  const path = `${BENCH_PATH}/${benchName(0)}`;
  return spread(connections, count, async (connection, index) => {
    for (;;) {
      const { body } = demand(await connection.send(connection.encode('GET', path), true), 'get');
      const object: { spec: { hostname?: string } } = JSON.parse(body.toString('utf8'));
      object.spec.hostname = `changed-${index}`;
      const answer = await connection.send(connection.encode('PUT', path, JSON.stringify(object)), true);
      if (answer.status !== 409) {
        demand(answer, 'update');
        return;
      }
    }
  });
}

/** Milliseconds of one list with this query. */
export async function timeList(connection: BenchConnection, query: string): Promise<number> {
  const startedMs = performance.now();
  demand(await connection.send(connection.encode('GET', `${BENCH_PATH}${query}`)), 'list');
  return performance.now() - startedMs;
}

/** Milliseconds of a whole list in pages. */
export async function timePagedList(connection: BenchConnection, limit: number): Promise<number> {
  const startedMs = performance.now();
  let token = '';
  do {
    const path = `${BENCH_PATH}?limit=${limit}${token === '' ? '' : `&continue=${token}`}`;
    const { body } = demand(await connection.send(connection.encode('GET', path), true), 'page');
    token = continueOf(body);
  } while (token !== '');
  return performance.now() - startedMs;
}

/** Seconds until the whole collection is gone. A server that gives up on the request after a minute is asked again. */
export async function deleteAll(connection: BenchConnection): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    const answer = await connection.send(connection.encode('DELETE', BENCH_PATH));
    if (answer.status !== 504) {
      demand(answer, 'delete collection');
      return (performance.now() - startedMs) / 1000;
    }
  }
}

/** The list's metadata stands at its begin or its end; objects hold no such member. */
function continueOf(page: Buffer): string {
  const at = page.indexOf('"continue":"');
  return at < 0 ? '' : page.toString('latin1', at + 12, page.indexOf('"', at + 12));
}
