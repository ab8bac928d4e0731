import { setTimeout as delay } from 'node:timers/promises';
import { type BenchConnection, Connection } from './connection.ts';
import { openHttp2 } from './http2-connection.ts';
import { contend, createAll, deleteAll, getObjects, patchStatus, timeList, timePagedList } from './load-jobs.ts';
import type { LoadJob, LoadReply } from './load-process.ts';
import { startWatchers, type Watchers } from './watchers.ts';

/** The load process: does the jobs that its parent sends, one after the other. */
let connections: readonly BenchConnection[] = [];
let watchers: Watchers | undefined;
const DEADLINE_MS = 120_000;

function work(job: LoadJob): Promise<unknown> {
  switch (job.do) {
    case 'connect':
      return connect(job);
    case 'create':
      return createAll(connections, job.count, job.racks);
    case 'patch':
      return patchStatus(connections, job.count, job.objects);
    case 'get':
      return getObjects(connections, job.count, job.objects);
    case 'contend':
      return contend(connections, job.count);
    case 'list':
      return timeList(one(), job.query);
    case 'pages':
      return timePagedList(one(), job.limit);
    case 'deleteAll':
      return deleteAll(one());
    case 'watch':
      return watch(job);
    case 'unwatch':
      return unwatch(job.events);
  }
}

async function connect(job: Extract<LoadJob, { do: 'connect' }>): Promise<void> {
  for (const connection of connections) connection.close();
  connections =
    job.http2 === true
      ? await openHttp2(job.target, job.connections)
      : await Promise.all(Array.from({ length: job.connections }, () => Connection.open(job.target)));
}

async function watch(job: Extract<LoadJob, { do: 'watch' }>): Promise<void> {
  watchers = await startWatchers(job.target, job.watchers, job.resourceVersion);
}

/** Wait for all events, then end the watches. */
async function unwatch(events: number): Promise<unknown> {
  const untilMs = performance.now() + DEADLINE_MS;
  while ((watchers?.events() ?? events) < events) {
    if (performance.now() > untilMs) throw new Error(`${watchers?.events()} of ${events} events came`);
    await delay(5);
  }
  return watchers?.stop();
}

function one(): BenchConnection {
  const [first] = connections;
  if (first === undefined) throw new RangeError('not connected');
  return first;
}

process.on('message', (job: LoadJob) => {
  work(job).then(
    (result) => reply({ ok: true, result }),
    (error: unknown) => reply({ ok: false, error: error instanceof Error ? (error.stack ?? error.message) : 'failed' }),
  );
});

function reply(message: LoadReply): void {
  process.send?.(message);
}
