import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Clock, type Logger, type Service, silentLog, systemClock, until } from '@bloomery/ports';
import type { LinkAnnotation } from '../annotations.ts';
import { createLogCounts, type WritableLogCounts } from './log-counts.ts';
import { type LogReceiverLimits, senderAddress, startLogReceiver } from './log-receiver.ts';
import { type LogStore, openLogStore } from './log-store.ts';

const A: LinkAnnotation = { server_uuid: 'a', cluster: 'c' };

describe('the receiver of kernel logs', () => {
  let dir: string;
  let store: LogStore;
  let counts: WritableLogCounts;
  let service: Service;
  let machines: Map<string, LinkAnnotation>;
  let warnings: { readonly event: string; readonly fields: unknown }[];
  let sockets: Socket[];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'bloomery-logs-'));
    store = openLogStore({ dir, clock: systemClock, log: silentLog });
    counts = createLogCounts();
    machines = new Map([['127.0.0.1', A]]);
    warnings = [];
    sockets = [];
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await service[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  const log: Logger = {
    ...silentLog,
    warn: (event, fields) => void warnings.push({ event, fields }),
    with: () => log,
  };
  async function start(
    limits: Partial<LogReceiverLimits> = {},
    more: { readonly clock?: Clock; readonly store?: Pick<LogStore, 'write' | 'drained'> } = {},
  ): Promise<void> {
    service = await startLogReceiver(
      { host: '127.0.0.1', port: 0 },
      {
        annotations: { at: (address) => machines.get(address) },
        store,
        counts,
        clock: systemClock,
        log,
        limits,
        ...more,
      },
    );
  }
  async function dial(localAddress = '127.0.0.1'): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port: service.address.port, localAddress });
    socket.on('error', () => {});
    sockets.push(socket);
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    return socket;
  }
  const kept = async (): Promise<string> => {
    await store.all.flushed();
    return readFileSync(store.all.file, 'utf8');
  };

  it('has a line in the file within a second, annotated by whom it is from', async () => {
    await start();
    (await dial()).write('{"msg":"<hello>","seq":1,"cluster":"evil"}\n');
    await until('a line', () => counts.lines === 1);
    await until('on disk', () => store.all.counts.written === 1);
    assert.equal(
      readFileSync(store.all.file, 'utf8'),
      '{"cluster":"c","msg":"\\u003chello\\u003e","seq":1,"server_uuid":"a"}\n',
    );
  });

  it('never mixes machines, and writes an unknown sender without annotation', async () => {
    machines.set('127.0.0.2', { server_uuid: 'b' });
    await start();
    const three = await Promise.all(['127.0.0.1', '127.0.0.2', '127.0.0.3'].map(dial));
    for (const part of ['{"msg"', ':"x",', '"n":', '1}\n{"msg":"y"', '}\n']) {
      for (const socket of three) socket.write(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until('six lines', () => counts.lines === 6);
    const lines = (await kept()).trimEnd().split('\n').sort();
    assert.deepEqual(lines, [
      '{"cluster":"c","msg":"x","n":1,"server_uuid":"a"}',
      '{"cluster":"c","msg":"y","server_uuid":"a"}',
      '{"msg":"x","n":1,"server_uuid":"b"}',
      '{"msg":"x","n":1}',
      '{"msg":"y","server_uuid":"b"}',
      '{"msg":"y"}',
    ]);
  });

  it('annotates anew when what is known of a machine changes, on the same connection', async () => {
    await start();
    const socket = await dial();
    socket.write('{"n":1}\n');
    await until('the first', () => counts.lines === 1);
    machines.set('127.0.0.1', { ...A, machine: 'm' });
    socket.write('{"n":2}\n');
    await until('the second', () => counts.lines === 2);
    assert.equal(
      await kept(),
      '{"cluster":"c","n":1,"server_uuid":"a"}\n{"cluster":"c","machine":"m","n":2,"server_uuid":"a"}\n',
    );
  });

  it('keeps the connection of a hostile stream, counts what it drops and warns once', async () => {
    await start();
    const socket = await dial();
    for (let i = 0; i < 50; i++) socket.write('not json\n{"a":1e999}\n');
    socket.write(`{"a":"${'x'.repeat(1024 * 1024)}"}\n`);
    socket.write('{"good":1}\n{"cut":');
    await until('the good line', () => counts.lines === 1);
    socket.end();
    await until('the end', () => counts.dropped.incomplete === 1);
    assert.deepEqual(counts.dropped, { malformed: 100, too_large: 1, incomplete: 1, no_memory: 0, rate: 0 });
    assert.deepEqual(warnings, [
      { event: 'link.log_dropped', fields: { server: 'a', address: '127.0.0.1', reason: 'malformed', dropped: 1 } },
    ]);
  });

  it('takes the last object of a connection that has no newline', async () => {
    await start();
    (await dial()).end('{"n":1}{"n":2}');
    await until('both', () => counts.lines === 2);
    assert.equal(counts.dropped.incomplete, 0);
  });

  it('does not read a socket while the store is full, and loses nothing', async () => {
    let isFull = true;
    let release: PromiseWithResolvers<void> = Promise.withResolvers();
    let taken = 0;
    const slow = {
      write: () => {
        taken += 1;
        return !isFull;
      },
      drained: () => release.promise,
    };
    await start({}, { store: slow });
    const socket = await dial();
    const line = `{"msg":"${'x'.repeat(1000)}"}\n`;
    const total = 30_000;
    let sent = 0;
    const send = (): void => {
      while (sent < total) {
        sent += 1;
        if (!socket.write(line)) {
          socket.once('drain', send);
          return;
        }
      }
    };
    send();
    await until('the first', () => taken > 0);
    let seen = -1;
    let times = 0;
    await until('the sender stands still', () => {
      times = sent === seen ? times + 1 : 0;
      seen = sent;
      return times === 10;
    });
    assert.ok(taken < 1000, `${taken} lines were taken by a full store`);
    assert.ok(sent < total, 'the sender was not held back');
    isFull = false;
    release.resolve();
    release = Promise.withResolvers();
    await until('all', () => taken === total);
  });

  it('bounds what a machine may send, and stays in step with its stream', async () => {
    await start({ burstBytes: 20_000, bytesPerSecond: 1 });
    const socket = await dial();
    const line = `{"msg":"${'x'.repeat(90)}"}\n`;
    for (let i = 0; i < 1000; i++) socket.write(line);
    await until('the end', () => counts.lines + counts.dropped.rate === 1000);
    assert.ok(counts.lines < 250 && counts.dropped.rate > 750, JSON.stringify(counts));
    (await dial('127.0.0.2')).write('{"other":1}\n');
    await until('another machine', () => counts.lines + counts.dropped.rate === 1001 && counts.lines > 0);
  });

  it('closes the connection that was silent for longest when a machine has too many', async () => {
    await start({ connectionsPerMachine: 3 });
    const first = await dial();
    const second = await dial();
    await dial();
    first.write('{"n":1}\n');
    await until('a line', () => counts.lines === 1);
    const closed = new Promise((resolve) => second.once('close', resolve));
    await dial();
    await closed;
    first.write('{"n":2}\n');
    await until('another line', () => counts.lines === 2);
    assert.deepEqual([counts.connections, counts.refusedConnections], [3, 1]);
  });

  it('holds no more than its bound of connections and of objects that never end', async () => {
    await start({ connections: 40, connectionsPerMachine: 1000, incompleteBytes: 50_000 });
    for (let i = 0; i < 60; i++) (await dial()).write(`{"never":"${'x'.repeat(4000)}`);
    await until('the bound', () => counts.refusedConnections >= 20 && counts.dropped.no_memory > 20);
    assert.equal(counts.connections, 40);
    for (const socket of sockets) socket.destroy();
    await until('all gone', () => counts.connections === 0);
    (await dial()).write(`{"msg":"${'x'.repeat(40_000)}"}\n`);
    await until('memory is given back', () => counts.lines === 1);
  });

  it('writes what was sent before it stopped', async () => {
    await start();
    const socket = await dial();
    for (let i = 0; i < 5000; i++) socket.write(`{"n":${i}}\n`);
    await new Promise<void>((resolve) => socket.write('', () => resolve()));
    await service[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    const lines = readFileSync(store.all.file, 'utf8').trimEnd().split('\n');
    assert.equal(lines.length, 5000);
  });
});

describe('the address of a sender', () => {
  const cases: [string | undefined, string][] = [
    ['fdae:2859:5bb1:7a03::5', 'fdae:2859:5bb1:7a03::5'],
    ['FDAE:2859:5bb1:7a03:0:0:0:5', 'fdae:2859:5bb1:7a03::5'],
    ['fe80::1%siderolink', 'fe80::1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['10.0.0.1', '10.0.0.1'],
    [undefined, ''],
  ];
  for (const [given, wanted] of cases) it(String(given), () => assert.equal(senderAddress(given), wanted));
});
