import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { createFakeClock, silentLog, systemClock, until } from '@bloomery/ports';
import { startKernelLogSender } from './kernel-log-sender.ts';
import type { KernelLogSource } from './kernel-log-source.ts';

/** A receiver that keeps what it got, whole lines by connection. */
async function startReceiver(options: { readonly port?: number; readonly isDeaf?: boolean } = {}) {
  const connections: { text: string; readonly socket: Socket }[] = [];
  const server: Server = createServer((socket) => {
    const connection = { text: '', socket };
    connections.push(connection);
    socket.on('error', () => {});
    if (options.isDeaf === true) socket.pause();
    else
      socket.on('data', (chunk) => {
        connection.text += String(chunk);
      });
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const messages = (text: string): string[] =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).msg);
  return {
    url: `tcp://127.0.0.1:${address.port}`,
    port: address.port,
    connections,
    messages: () => connections.flatMap((connection) => messages(connection.text)),
    [Symbol.asyncDispose]: async () => {
      for (const { socket } of connections) socket.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A kernel log that a test writes. */
function fakeLog() {
  const waiting: Uint8Array[] = [];
  let wake = (): void => {};
  let isEnded = false;
  const source: KernelLogSource = async function* (signal) {
    signal.addEventListener('abort', () => wake());
    while (!signal.aborted) {
      const next = waiting.shift();
      if (next !== undefined) yield next;
      else if (isEnded) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  };
  let seq = 0;
  return {
    source,
    write: (text: string) => {
      waiting.push(Buffer.from(`6,${seq++},1,-;${text}`));
      wake();
    },
    left: () => waiting.length,
    end: () => {
      isEnded = true;
      wake();
    },
  };
}

const deps = { clock: systemClock, log: silentLog };

describe('the kernel log sender', () => {
  it('sends every record on one connection, which it opens when there is something to send', async () => {
    await using receiver = await startReceiver();
    const log = fakeLog();
    await using sender = startKernelLogSender(
      { destinations: [receiver.url], source: log.source, bootTimeNs: 0n },
      deps,
    );
    assert.equal(receiver.connections.length, 0);
    for (let i = 0; i < 1_000; i++) log.write(`line ${i}`);
    await until('the lines', () => receiver.messages().length === 1_000);
    assert.deepEqual(
      receiver.messages(),
      Array.from({ length: 1_000 }, (_, i) => `line ${i}`),
    );
    assert.equal(receiver.connections.length, 1);
    assert.deepEqual(sender.counts(), { sent: 1_000, lost: 0, malformed: 0 });
  });

  it('waits for a receiver that is not there yet, and loses nothing meanwhile', async () => {
    const first = await startReceiver();
    await first[Symbol.asyncDispose]();
    const log = fakeLog();
    await using sender = startKernelLogSender({ destinations: [first.url], source: log.source, bootTimeNs: 0n }, deps);
    for (const text of ['a', 'b']) log.write(text);
    await until('the first record is read', () => log.left() === 1);
    await using receiver = await startReceiver({ port: first.port });
    await until('the lines', () => receiver.messages().length === 2);
    assert.deepEqual(receiver.messages(), ['a', 'b']);
    assert.equal(sender.counts().sent, 2);
  });

  it('goes on when the receiver closed the connection', async () => {
    await using receiver = await startReceiver();
    const log = fakeLog();
    await using _sender = startKernelLogSender(
      { destinations: [receiver.url], source: log.source, bootTimeNs: 0n },
      deps,
    );
    log.write('a');
    await until('the lines', () => receiver.messages().length === 1);
    receiver.connections[0]?.socket.end();
    await once(receiver.connections[0]?.socket ?? process, 'close');
    log.write('b');
    await until('the lines', () => receiver.messages().length === 2);
    assert.equal(receiver.connections.length, 2);
  });

  it('sends to all destinations, and one that takes records is enough', async () => {
    const gone = await startReceiver();
    await gone[Symbol.asyncDispose]();
    await using a = await startReceiver();
    await using b = await startReceiver();
    const log = fakeLog();
    const destinations = [gone.url, a.url, b.url, a.url];
    await using sender = startKernelLogSender({ destinations, source: log.source, bootTimeNs: 0n }, deps);
    for (const text of ['x', 'y', 'z']) log.write(text);
    await until('the lines', () => a.messages().length === 3 && b.messages().length === 3);
    assert.equal(a.connections.length, 1);
    assert.deepEqual(sender.counts(), { sent: 3, lost: 0, malformed: 0 });
  });

  it('sends datagrams without the newline', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const log = fakeLog();
    const destinations = [`udp://127.0.0.1:${socket.address().port}`];
    await using _sender = startKernelLogSender({ destinations, source: log.source, bootTimeNs: 0n }, deps);
    log.write('x');
    const [datagram] = await once(socket, 'message');
    assert.match(String(datagram), /^\{.*\}$/);
    socket.close();
  });

  it('closes a connection that takes nothing for 5 s and goes on with another', async () => {
    const clock = createFakeClock();
    await using deaf = await startReceiver({ isDeaf: true });
    const log = fakeLog();
    const options = { destinations: [deaf.url], source: log.source, bootTimeNs: 0n };
    const sender = startKernelLogSender(options, { clock, log: silentLog });
    for (let i = 0; i < 2_000; i++) log.write('x'.repeat(8_000));
    // Until the buffers between the two are full.
    let last = -1;
    const isStuck = (): boolean => {
      const isSame = sender.counts().sent === last;
      last = sender.counts().sent;
      return isSame && last > 0;
    };
    while (!isStuck()) await new Promise((resolve) => setTimeout(resolve, 200));
    assert.ok(log.left() > 0, 'the buffers never filled');
    await clock.advance(5_000);
    await clock.advance(1_000);
    await until('another connection', () => deaf.connections.length === 2 && sender.counts().sent > last);
    assert.ok(sender.counts().lost <= 1);
    const stopped = sender[Symbol.asyncDispose]();
    while (!(await Promise.race([stopped.then(() => true), clock.advance(1_000).then(() => false)])));
  });

  it('keeps the record of a connection that is closed because the link changed', async () => {
    await using receiver = await startReceiver();
    const log = fakeLog();
    await using sender = startKernelLogSender(
      { destinations: [receiver.url], source: log.source, bootTimeNs: 0n },
      deps,
    );
    log.write('a');
    await until('the lines', () => receiver.messages().length === 1);
    sender.reconnect();
    log.write('b');
    await until('the lines', () => receiver.messages().length === 2);
    assert.equal(receiver.connections.length, 2);
  });

  it('sends what still comes when it is stopped, until there is nothing new', async () => {
    await using receiver = await startReceiver();
    const log = fakeLog();
    const sender = startKernelLogSender({ destinations: [receiver.url], source: log.source, bootTimeNs: 0n }, deps);
    log.write('a');
    const stopped = sender[Symbol.asyncDispose]();
    log.write('b');
    await stopped;
    await until('the lines', () => receiver.messages().length === 2);
  });

  it('stops in bounded time when nobody takes the records', async () => {
    const clock = createFakeClock();
    const gone = await startReceiver();
    await gone[Symbol.asyncDispose]();
    const log = fakeLog();
    const options = { destinations: [gone.url], source: log.source, bootTimeNs: 0n };
    const sender = startKernelLogSender(options, { clock, log: silentLog });
    for (let i = 0; i < 100; i++) log.write('x');
    let isStopped = false;
    void sender[Symbol.asyncDispose]().then(() => {
      isStopped = true;
    });
    for (let ms = 0; ms < 8_000 && !isStopped; ms += 500) await clock.advance(500);
    await until('the source ends', () => isStopped);
  });

  it('stops at once when there is no way to any destination', async () => {
    const log = fakeLog();
    const options = { destinations: ['tcp://127.0.0.1:9'], source: log.source, bootTimeNs: 0n };
    const sender = startKernelLogSender(options, {
      clock: createFakeClock(),
      log: silentLog,
      isReachable: () => false,
    });
    log.write('x');
    await sender[Symbol.asyncDispose]();
    assert.equal(sender.counts().sent, 0);
  });

  it('counts what is no record, and ends with its source', async () => {
    await using receiver = await startReceiver();
    const source: KernelLogSource = async function* () {
      yield Buffer.from('nonsense');
      yield Buffer.from('6,1,2,-;x');
    };
    const sender = startKernelLogSender({ destinations: [receiver.url], source, bootTimeNs: 0n }, deps);
    await until('the lines', () => receiver.messages().length === 1);
    assert.deepEqual(sender.counts(), { sent: 1, lost: 0, malformed: 1 });
    await sender[Symbol.asyncDispose]();
  });

  it('refuses destinations that are none', () => {
    for (const url of ['', 'http://h:1', 'tcp://h', 'tcp://h:0', 'tcp://h:70000', 'tcp://[::1:1', 'tcp://h:1/x']) {
      const options = { destinations: [url], source: fakeLog().source, bootTimeNs: 0n };
      assert.throws(() => startKernelLogSender(options, deps), { code: 'BLM_LINK_CONFIG_INVALID' });
    }
  });
});
