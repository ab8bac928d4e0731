import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createFakeClock, silentLog, systemClock } from '@bloomery/ports';
import { type LogStore, type LogStoreOptions, openLogStore } from './log-store.ts';
import { type LogQuery, streamLogs } from './stream-logs.ts';

const T0 = Date.parse('2026-01-01T00:00:00Z');
const line = (server: string, n: number): string => `{"msg":"line ${n}\\n","server_uuid":"${server}"}`;

describe('kept kernel lines', () => {
  let dir: string;
  let store: LogStore;
  const clock = { ...systemClock, nowMs: () => nowMs };
  let nowMs = T0;
  const open = (limits: LogStoreOptions['limits'] = {}): LogStore =>
    openLogStore({ dir, clock, log: silentLog, limits });
  beforeEach(() => {
    nowMs = T0;
    dir = mkdtempSync(join(tmpdir(), 'bloomery-logs-'));
    store = open();
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });
  const queryOf = (query: Partial<LogQuery>): LogQuery => ({ of: 'all', follow: false, withCursors: false, ...query });
  const of = (...servers: string[]) => ({ of: () => servers.map((server) => ({ server })) });
  async function read(query: Partial<LogQuery>): Promise<string[]> {
    const { signal } = new AbortController();
    let text = '';
    for await (const bytes of streamLogs(queryOf(query), { store, clock, signal })) text += bytes;
    return text.split('\n').slice(0, -1);
  }
  /** Follows until `count` lines are there. */
  function follow(query: Partial<LogQuery>) {
    const stop = new AbortController();
    const deps = { store, clock: systemClock, signal: stop.signal };
    const lines: string[] = [];
    const wanted: { count: number; done: () => void } = { count: 0, done: () => {} };
    const ended = (async () => {
      for await (const bytes of streamLogs(queryOf({ ...query, follow: true }), deps)) {
        lines.push(...bytes.toString().split('\n').slice(0, -1));
        if (lines.length >= wanted.count) wanted.done();
      }
    })();
    return {
      async lines(count: number): Promise<string[]> {
        wanted.count = count;
        if (lines.length < count) {
          await new Promise<void>((resolve, reject) => {
            const timer = setTimeout(() => reject(new Error(`only ${lines.length} of ${count} lines`)), 10_000);
            wanted.done = () => {
              clearTimeout(timer);
              resolve();
            };
          });
        }
        return lines;
      },
      async end(): Promise<void> {
        stop.abort();
        await ended;
      },
    };
  }

  it('are given for one machine, for several in order of receipt, and all together', async () => {
    const servers = ['a', 'b', 'a', undefined, 'b', 'c'];
    const lines = servers.map((server = 'unknown', i) => line(server, i));
    for (const [i, text] of lines.entries()) store.write(text, servers[i]);
    assert.deepEqual(await read(of('a')), [lines[0], lines[2]]);
    assert.deepEqual(await read(of('b', 'a')), [lines[0], lines[1], lines[2], lines[4]]);
    assert.deepEqual(await read({}), lines);
    assert.deepEqual(await read(of('nobody')), []);
    assert.deepEqual(await read(of('../../../etc/passwd')), []);
  });

  it('are there after a restart, and go on in order also when the clock was set back', async () => {
    store.write(line('a', 1), 'a');
    await store[Symbol.asyncDispose]();
    nowMs = T0 - 3_600_000;
    store = open();
    store.write(line('a', 2), 'a');
    const both = [line('a', 1), line('a', 2)];
    assert.deepEqual(await read(of('a')), both);
    assert.deepEqual(await read({}), both);
  });

  it('are chosen by their time of receipt', async () => {
    for (const n of [1, 2, 3]) {
      store.write(line('a', n), 'a');
      nowMs += 60_000;
    }
    assert.deepEqual(await read({ ...of('a'), sinceMs: T0 + 60_000 }), [line('a', 2), line('a', 3)]);
    const since = { of: () => [{ server: 'a', sinceMs: T0 + 120_000 }] };
    assert.deepEqual(await read(since), [line('a', 3)], 'a machine counts since it was allocated');
  });

  it('of all machines are chosen by the machine’s clock, where there is one', async () => {
    const at = (time: string): string => `{"msg":"x","talos-time":"${time}"}`;
    const lines = [at('2025-12-31T23:59:59.9Z'), line('a', 1), at('2026-01-01T00:00:00.000000001Z')];
    for (const text of lines) store.write(text, undefined);
    assert.deepEqual(await read({ sinceMs: T0 }), lines.slice(1));
  });

  it('are chosen by their message', async () => {
    for (let n = 0; n < 20; n++) store.write(line('a', n), 'a');
    const accepts = (message: string): boolean => message === 'line 7\n';
    assert.deepEqual(await read({ ...of('a'), accepts }), [line('a', 7)]);
    assert.deepEqual(await read({ accepts }), [line('a', 7)]);
  });

  it('are cut to the newest', async () => {
    for (let n = 0; n < 2000; n++) store.write(line('a', n), 'a');
    const newest = [line('a', 1998), line('a', 1999)];
    assert.deepEqual(await read({ ...of('a'), tail: 2 }), newest);
    assert.deepEqual(await read({ tail: 2 }), newest);
    assert.deepEqual(await read({ tail: 0 }), []);
    assert.equal((await read({ tail: 5000 })).length, 2000);
    const accepts = (message: string): boolean => message.includes('0');
    assert.deepEqual(await read({ tail: 1, accepts }), [line('a', 1990)]);
  });

  for (const [name, query] of [
    ['one machine', of('a')],
    ['several', of('a', 'b')],
    ['all', {}],
  ] as const) {
    it(`are followed: ${name}`, async () => {
      store.write(line('a', 0), 'a');
      const stream = follow(query);
      assert.deepEqual(await stream.lines(1), [line('a', 0)]);
      for (let n = 1; n < 300; n++) store.write(line('a', n), 'a');
      assert.deepEqual(
        await stream.lines(300),
        Array.from({ length: 300 }, (_, n) => line('a', n)),
      );
      await stream.end();
    });

    it(`go on behind a cursor without a line lost or repeated: ${name}`, async () => {
      for (let n = 0; n < 10; n++) store.write(line('a', n), 'a');
      const all = await read({ ...query, withCursors: true });
      const [cursor = '', ...rest] = (all[3] ?? '').split(' ');
      assert.equal(rest.join(' '), line('a', 3));
      assert.deepEqual(
        await read({ ...query, after: cursor }),
        [4, 5, 6, 7, 8, 9].map((n) => line('a', n)),
      );
      const stream = follow({ ...query, after: all.at(-1)?.split(' ')[0] ?? '' });
      store.write(line('a', 10), 'a');
      assert.deepEqual(await stream.lines(1), [line('a', 10)]);
      await stream.end();
    });
  }

  it('of a cluster are followed also for machines that come later, and no more for those that leave', async () => {
    let servers = ['a'];
    const stream = follow({ of: () => servers.map((server) => ({ server })) });
    store.write(line('a', 1), 'a');
    await stream.lines(1);
    servers = ['b'];
    store.write(line('b', 2), 'b');
    store.write(line('a', 3), 'a');
    await stream.lines(2);
    store.write(line('b', 4), 'b');
    assert.deepEqual(await stream.lines(3), [line('a', 1), line('b', 2), line('b', 4)]);
    await stream.end();
  });

  it('of a quiet machine outlive any number of lines of another', async () => {
    await store[Symbol.asyncDispose]();
    store = open({ all: { fileBytes: 10_000, oldFiles: 1 }, machines: { machineBytes: 10_000 } });
    store.write(line('quiet', 1), 'quiet');
    for (let n = 0; n < 5000; n++) {
      if (!store.write(line('loud', n), 'loud')) await store.drained();
      if (n % 100 === 0) await store.machines.flushed('loud');
    }
    assert.deepEqual(await read(of('quiet')), [line('quiet', 1)]);
    const loud = await read(of('loud'));
    assert.equal(loud.at(-1), line('loud', 4999));
    assert.ok(loud.length > 100 && loud.length < 500, `${loud.length} lines of the loud one`);
  });

  it('are for their owner only, and what broke off in a crash is left out', async () => {
    store.write(line('a', 1), 'a');
    await store[Symbol.asyncDispose]();
    const file = join(dir, 'machines', 'a.log');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    writeFileSync(file, `${readFileSync(file, 'utf8')}1767225600000099 {"msg":"cut`);
    store = open();
    store.write(line('a', 2), 'a');
    assert.deepEqual(await read(of('a')), [line('a', 1), line('a', 2)]);
  });

  it('of all machines together are bounded: those that were silent for longest go', async () => {
    for (const server of ['a', 'b', 'c']) for (let n = 0; n < 100; n++) store.write(line(server, n), server);
    await store[Symbol.asyncDispose]();
    for (const [i, server] of ['b', 'a', 'c'].entries()) utimesSync(join(dir, 'machines', `${server}.log`), i, i);
    const size = statSync(join(dir, 'machines', 'a.log')).size;
    store = open({ machines: { totalBytes: 2 * size + 10 } });
    await store[Symbol.asyncDispose]();
    assert.deepEqual(readdirSync(join(dir, 'machines')).sort(), ['a.log', 'c.log']);
  });

  it('need no reader to be fast: a slow one holds nothing in memory and misses nothing', async () => {
    const stop = new AbortController();
    const fake = createFakeClock(T0);
    const query = queryOf({ ...of('a'), follow: true });
    const stream = streamLogs(query, { store, clock: { ...fake, sleep: async () => {} }, signal: stop.signal });
    let text = '';
    for (let round = 0; round < 20; round++) {
      for (let n = 0; n < 100; n++) store.write(line('a', round * 100 + n), 'a');
      nowMs += 1000;
      await fake.advance(1000);
      const { value } = await stream.next();
      text += value;
    }
    while (text.split('\n').length <= 2000) text += (await stream.next()).value;
    assert.deepEqual(
      text.split('\n').slice(0, -1),
      Array.from({ length: 2000 }, (_, n) => line('a', n)),
    );
    stop.abort();
    await stream.return(undefined);
  });
});
