import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { until } from '@bloomery/ports';
import { type ClientIdentity, startTestListener, type TestListener } from '../testing/test-listener.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const LIMITS = { graceMs: 500, headersMs: 400, requestMs: 800, idleMs: 600, stalledMs: 1500 };

async function answerOf(stream: ClientHttp2Stream): Promise<{ readonly code: number; readonly body: string }> {
  let body = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    body += chunk;
  });
  const [headers] = await once(stream, 'response');
  if (!stream.readableEnded) await once(stream, 'end');
  return { code: Number(headers[':status']), body };
}

describe('the HTTPS listener', () => {
  let listener: TestListener;
  before(async () => {
    listener = await startTestListener(LIMITS);
  });
  after(() => listener[Symbol.asyncDispose]());
  const admin = (): { readonly identity: ClientIdentity } => ({ identity: listener.admin });
  const json = { 'content-type': 'application/json' };

  /** A TLS connection that says `text` in HTTP/1.1, and what it got until it was closed. */
  async function say(text: string, more?: (socket: TLSSocket) => void): Promise<string> {
    const socket = tlsConnect({ port: listener.port, host: '127.0.0.1', ca: listener.caPem, ...listener.admin });
    let got = '';
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    socket.write(text);
    more?.(socket);
    // A reset is an end too: `once` would call it a failure.
    if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    return got;
  }

  it('answers HTTP/1.1 and HTTP/2 alike', async () => {
    const one = await listener.call('GET', MAPS, admin());
    const session = listener.session(listener.admin);
    const two = await answerOf(session.request({ ':path': MAPS }));
    session.close();
    assert.deepEqual(two, one);
    assert.equal(one.code, 200);
  });

  it('answers HEAD with the headers of GET and no body', async () => {
    assert.deepEqual(await listener.call('HEAD', MAPS, admin()), { code: 200, body: '' });
    assert.deepEqual(await listener.call('HEAD', `${MAPS}?watch=1`, admin()), { code: 200, body: '' });
  });

  it('refuses a body that is too large with 413, announced or not', async () => {
    const body = Buffer.alloc(4 * 1024 * 1024, 0x20);
    assert.equal((await listener.call('POST', MAPS, { ...admin(), headers: json, body })).code, 413);
    const headers = { ...json, 'transfer-encoding': 'chunked' };
    assert.equal((await listener.call('POST', MAPS, { ...admin(), headers, body })).code, 413);
    const session = listener.session(listener.admin);
    for (const announced of [{}, { 'content-length': body.length }]) {
      const stream = session.request({ ':path': MAPS, ':method': 'POST', ...json, ...announced });
      stream.on('error', () => {});
      stream.end(body);
      const [answer] = await once(stream, 'response');
      assert.equal(answer[':status'], 413);
    }
    // The session has room for other requests.
    assert.equal((await answerOf(session.request({ ':path': MAPS }))).code, 200);
    session.close();
  });

  it('answers before it has read a body that it does not need', async () => {
    const session = listener.session(listener.admin);
    for (let i = 0; i < 50; i++) {
      const stream = session.request({ ':path': '/api/v1/namespaces/default/nothings', ':method': 'POST', ...json });
      stream.end(JSON.stringify({ a: 'x'.repeat(i * 100) }));
      const { code, body } = await answerOf(stream);
      assert.equal(code, 404);
      assert.equal(JSON.parse(body).code, 404);
    }
    session.close();
  });

  it('cuts headers that come too slowly', async () => {
    const got = await say('GET / HTTP/1.1\r\nHost: a\r\n', (socket) => {
      const drip = setInterval(() => socket.write('X-A: b\r\n'), 50);
      socket.once('close', () => clearInterval(drip));
    });
    assert.match(got, /^HTTP\/1\.1 408 /);
  });

  it('cuts bodies that come too slowly, in HTTP/1.1 and in HTTP/2', async () => {
    const head = `POST ${MAPS} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n`;
    const got = await say(head, (socket) => {
      const drip = setInterval(() => socket.write(' '), 50);
      socket.once('close', () => clearInterval(drip));
    });
    assert.match(got, /^HTTP\/1\.1 408 /);
    const session = listener.session(listener.admin);
    const stream = session.request({ ':path': MAPS, ':method': 'POST', ...json });
    stream.on('error', () => {});
    const drip = setInterval(() => stream.write(' '), 50);
    const [answer] = await once(stream, 'response');
    clearInterval(drip);
    assert.equal(answer[':status'], 408);
    stream.resume();
    await until('the stream is closed', () => stream.closed);
    session.destroy();
  });

  it('closes idle connections: HTTP/1.1, HTTP/2, and those that never say a thing', async () => {
    assert.match(await say(`GET ${MAPS} HTTP/1.1\r\nHost: a\r\n\r\n`), /^HTTP\/1\.1 200 /);
    assert.match(await say(''), /^HTTP\/1\.1 408 /);
    const session = listener.session(listener.admin);
    assert.equal((await answerOf(session.request({ ':path': MAPS }))).code, 200);
    const ping = setInterval(() => session.closed || session.ping(() => {}), 50);
    await until('the session is closed', () => session.closed);
    clearInterval(ping);
  });

  it('keeps a session with an open watch, however quiet', async () => {
    const session = listener.session(listener.admin);
    const stream = session.request({
      ':path': `${MAPS}?watch=1&resourceVersion=${listener.api.engine.store.revision}`,
    });
    await once(stream, 'response');
    await delay(3 * LIMITS.idleMs);
    assert.equal(session.closed, false);
    session.destroy();
    await until('the watch is gone', () => listener.api.engine.hub.size === 0);
  });

  it('serves 200 watches at once and forgets them', async () => {
    const session = listener.session(listener.admin);
    const revision = listener.api.engine.store.revision;
    const streams = Array.from({ length: 200 }, () =>
      session.request({ ':path': `${MAPS}?watch=1&resourceVersion=${revision}` }),
    );
    let seen = 0;
    for (const stream of streams) stream.once('data', () => (seen += 1));
    await Promise.all(streams.map((stream) => once(stream, 'response')));
    assert.equal(listener.api.engine.hub.size, 200);
    const body = JSON.stringify({ metadata: { name: 'seen-by-all' } });
    assert.equal((await listener.call('POST', MAPS, { ...admin(), headers: json, body })).code, 201);
    await until('all have seen it', () => seen === 200);
    session.destroy();
    await until('all watches are gone', () => listener.api.engine.hub.size === 0);
  });

  it('gives up a watcher that takes nothing', async () => {
    const session = listener.session(listener.admin);
    const stream = session.request({ ':path': `${MAPS}?watch=1` });
    stream.on('error', () => {});
    await once(stream, 'response');
    stream.pause();
    const data = { a: 'x'.repeat(100_000) };
    for (let i = 0; i < 20; i++) {
      const body = JSON.stringify({ metadata: { name: `big-${i}` }, data });
      await listener.call('POST', MAPS, { ...admin(), headers: json, body });
    }
    await until('the watch is gone', () => listener.api.engine.hub.size === 0);
    session.destroy();
  });

  it('sends large answers whole, also to those that read slowly', async () => {
    const whole = (await listener.call('GET', MAPS, admin())).body;
    assert.ok(whole.length > 1_000_000);
    const session = listener.session(listener.admin);
    const stream = session.request({ ':path': MAPS });
    let got = '';
    stream.setEncoding('utf8');
    for await (const chunk of stream) {
      got += chunk;
      if (got.length % 7 === 0) await delay(5);
    }
    assert.equal(got.length, whole.length);
    session.close();
  });

  it('answers what makes no sense with a refusal, and goes on', async () => {
    const paths = [
      ['/%zz/%', 404],
      ['/api/v1/namespaces/default/configmaps/%00', 404],
      ['/api/v1/namespaces/default/configmaps/..%2f..', 404],
      ['/apis/unknown.group/v1/things', 404],
      ['/nothing/here', 404],
      ['//api//v1//', 404],
      [`${MAPS}?labelSelector=${'a,'.repeat(3000)}a`, 200],
      [`${MAPS}?limit=${'9'.repeat(400)}`, 400],
      [`${MAPS}?resourceVersion=-1`, 400],
      [`${MAPS}?continue=%00%ff`, 400],
      [`${MAPS}?fieldSelector=${encodeURIComponent('metadata.name=a,,=')}`, 400],
    ] as const;
    for (const [path, code] of paths)
      assert.equal((await listener.call('GET', path, admin())).code, code, path.slice(0, 80));
    for (const method of ['OPTIONS', 'TRACE', 'PROPFIND'])
      assert.equal((await listener.call(method, MAPS, admin())).code, 405, method);
    assert.match(await say('NONSENSE\r\n\r\n'), /^HTTP\/1\.1 400 /);
    assert.match(await say(`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`), /^HTTP\/1\.1 431 /);
    assert.equal((await listener.call('GET', MAPS, admin())).code, 200);
  });

  const deep = (open: string, close: string): string => open.repeat(100_000) + close.repeat(100_000);
  const bodies: [name: string, type: string, body: string | Uint8Array][] = [
    ['deep arrays', 'application/json', deep('[', ']')],
    ['deep objects', 'application/json', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`],
    ['deep YAML', 'application/yaml', deep('[', ']')],
    [
      'a YAML bomb',
      'application/yaml',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 9 }, (_, i) => `${'bcdefghij'[i]}: &${'bcdefghij'[i]} [${Array(9).fill(`*${'abcdefghi'[i]}`).join()}]`).join('\n')}\n`,
    ],
    ['a cut JSON', 'application/json', '{"metadata":{"name":"a"'],
    ['no JSON', 'application/json', 'hello'],
    ['nothing', 'application/json', ''],
    ['a list', 'application/json', '[]'],
    ['protobuf without its envelope', 'application/vnd.kubernetes.protobuf', Buffer.from('k8s')],
    [
      'cut protobuf',
      'application/vnd.kubernetes.protobuf',
      Buffer.from([0x6b, 0x38, 0x73, 0, 0x0a, 0xff, 0xff, 0xff, 0x7f, 1]),
    ],
    ['bytes that are no text', 'application/json', Buffer.from([0xff, 0xfe, 0x00, 0x80])],
  ];
  for (const [name, type, body] of bodies) {
    it(`refuses ${name} with 400`, async () => {
      const { code } = await listener.call('POST', MAPS, { ...admin(), headers: { 'content-type': type }, body });
      assert.equal(code, 400);
    });
  }

  it('ends watches cleanly when it stops', async () => {
    const other = await startTestListener();
    const session: ClientHttp2Session = other.session(other.admin);
    const stream = session.request({ ':path': `${MAPS}?watch=1` });
    await once(stream, 'response');
    stream.resume();
    const ended = once(stream, 'end');
    const toldToGo = once(session, 'goaway');
    const plain = other.call('GET', `${MAPS}?watch=1`, { identity: other.admin });
    await until('both watches are there', () => other.api.engine.hub.size === 2);
    await other.close();
    await ended;
    assert.equal(stream.rstCode, 0);
    assert.equal((await toldToGo)[0], 0);
    assert.deepEqual((await plain).code, 200);
    session.destroy();
    await other[Symbol.asyncDispose]();
  });
});
