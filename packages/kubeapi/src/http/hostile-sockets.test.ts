import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientHttp2Stream } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { isJsonObject, parseJson } from '@bloomery/model';
import { until } from '@bloomery/ports';
import { startTestListener, type TestListener } from '../testing/test-listener.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const LIMITS = { graceMs: 500, headersMs: 500, requestMs: 1000, idleMs: 800, stalledMs: 30_000, connections: 40 };
const json = { 'content-type': 'application/json' };
/** RFC 9113 section 3.4, and an empty SETTINGS frame. */
const PREFACE = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0)]);

/** A frame of HTTP/2: length, type, flags, stream. */
function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function closeOf(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

describe('hostile callers of the HTTPS listener', () => {
  let listener: TestListener;
  before(async () => {
    listener = await startTestListener(LIMITS);
  });
  after(() => listener[Symbol.asyncDispose]());

  async function socketOf(protocol: 'h2' | 'http/1.1'): Promise<TLSSocket> {
    const { port, caPem: ca, admin } = listener;
    const socket = tlsConnect({ port, host: '127.0.0.1', ca, ...admin, ALPNProtocols: [protocol] });
    socket.on('error', () => {});
    socket.resume();
    await once(socket, 'secureConnect');
    return socket;
  }
  const othersAreServed = async (): Promise<void> => {
    assert.equal((await listener.call('GET', MAPS, { identity: listener.admin })).code, 200);
  };

  it('are cut off when they never finish the headers of HTTP/2', async () => {
    const socket = await socketOf('h2');
    const closed = closeOf(socket);
    // HEADERS without END_HEADERS, and nothing more.
    socket.write(Buffer.concat([PREFACE, frame(1, 0, 1, Buffer.from([0x82]))]));
    await othersAreServed();
    await closed;
  });

  it('are cut off when their headers have no end, in HTTP/1.1 and in HTTP/2', async () => {
    const plain = await socketOf('http/1.1');
    const plainClosed = closeOf(plain);
    plain.write(`GET ${MAPS} HTTP/1.1\r\nHost: a\r\n`);
    for (let i = 0; i < 20_000 && !plain.destroyed; i++) plain.write(`X-${i}: ${'y'.repeat(50)}\r\n`);
    await plainClosed;

    const socket = await socketOf('h2');
    const closed = closeOf(socket);
    socket.write(Buffer.concat([PREFACE, frame(1, 0, 1, Buffer.from([0x82, 0x87]))]));
    // Literal headers in CONTINUATION frames, one after the other.
    const header = Buffer.concat([
      Buffer.from([0x00, 1]),
      Buffer.from('x'),
      Buffer.from([100]),
      Buffer.alloc(100, 0x61),
    ]);
    for (let i = 0; i < 5000 && !socket.destroyed; i++) socket.write(frame(9, 0, 1, header));
    await closed;
    await othersAreServed();
  });

  it('are cut off when they open streams only to reset them', async () => {
    const socket = await socketOf('h2');
    const closed = closeOf(socket);
    // :method GET, :scheme https, :path /, :authority a
    const headers = Buffer.from([0x82, 0x87, 0x84, 0x41, 0x01, 0x61]);
    const cancel = Buffer.from([0, 0, 0, 8]);
    socket.write(PREFACE);
    let sent = 0;
    while (sent < 50_000 && !socket.destroyed) {
      const frames = Array.from({ length: 100 }, (_, i) => {
        const stream = 2 * (sent + i) + 1;
        return Buffer.concat([frame(1, 5, stream, headers), frame(3, 0, stream, cancel)]);
      });
      sent += frames.length;
      if (!socket.write(Buffer.concat(frames))) await Promise.race([once(socket, 'drain').catch(() => {}), closed]);
      await delay(0);
    }
    await closed;
    assert.ok(sent < 50_000, `${sent} streams`);
    await othersAreServed();
  });

  it('get refusals for pipelined rubbish, and what came before it is answered', async () => {
    const { port, caPem: ca, admin } = listener;
    const socket = tlsConnect({ port, host: '127.0.0.1', ca, ...admin });
    let got = '';
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    const closed = closeOf(socket);
    socket.write(`GET ${MAPS} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(3));
    socket.write('\0\0rubbish \r\n\r\n');
    await closed;
    assert.deepEqual(
      [...got.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code),
      ['200', '200', '200', '400'],
    );
    await othersAreServed();
  });

  it('cannot take more connections than there may be, and give them back', async () => {
    const sockets: TLSSocket[] = [];
    for (let i = 0; i < 3 * LIMITS.connections; i++) {
      const socket = tlsConnect({ port: listener.port, host: '127.0.0.1', ca: listener.caPem, ...listener.admin });
      socket.on('error', () => {});
      socket.resume();
      sockets.push(socket);
    }
    await until(
      'the surplus is closed',
      () => sockets.filter((socket) => socket.destroyed).length >= 2 * LIMITS.connections,
    );
    // They say nothing: they are idle, and go.
    await until('all are closed', () => sockets.every((socket) => socket.destroyed));
    await othersAreServed();
  });

  it('leave other watchers and writers alone when they read a watch slowly; it ends cleanly, and goes on where it ended', async () => {
    const { api, admin } = listener;
    const start = api.engine.store.revision;
    const session = listener.session(admin);
    const path = (revision: number): string => `${MAPS}?watch=1&resourceVersion=${revision}`;
    const slow = session.request({ ':path': path(start) });
    await once(slow, 'response');
    slow.pause();
    const fast = collect(listener.session(admin).request({ ':path': path(start) }));
    await until('both are there', () => api.engine.hub.size === 2);
    const data = { a: 'x'.repeat(100_000) };
    for (let i = 0; i < 130; i++) {
      const body = JSON.stringify({ metadata: { name: `big-${i}` }, data });
      assert.equal((await listener.call('POST', MAPS, { identity: admin, headers: json, body })).code, 201);
    }
    await until('the other watcher has seen all', () => fast.revisions.length === 130);
    assert.equal(api.engine.hub.size, 1);

    const late = collect(slow);
    await until('the slow watch has ended', () => late.ended());
    assert.equal(slow.rstCode, 0);
    assert.ok(late.revisions.length > 50 && late.revisions.length < 130, `${late.revisions.length} events`);
    assert.deepEqual(late.revisions, fast.revisions.slice(0, late.revisions.length));
    const rest = collect(session.request({ ':path': path(late.revisions.at(-1) ?? 0) }));
    await until('it has caught up', () => late.revisions.length + rest.revisions.length === 130);
    assert.deepEqual([...late.revisions, ...rest.revisions], fast.revisions);
    session.destroy();
  });
});

/** The revisions that a watch shows. */
function collect(stream: ClientHttp2Stream): { readonly revisions: number[]; readonly ended: () => boolean } {
  const revisions: number[] = [];
  let ended = false;
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      const event = parseJson(line);
      const object = isJsonObject(event) ? event['object'] : undefined;
      const metadata = isJsonObject(object) ? object['metadata'] : undefined;
      if (isJsonObject(metadata)) revisions.push(Number(metadata['resourceVersion']));
    }
  });
  stream.on('end', () => {
    ended = true;
  });
  stream.on('error', () => {});
  stream.resume();
  return { revisions, ended: () => ended };
}
