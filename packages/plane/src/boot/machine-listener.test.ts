import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { type ClientHttp2Stream, constants, connect as http2Connect } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createGrpcClient, createGrpcHandler, grpcService } from '@bloomery/grpc';
import { hostPort, type Service, silentLog, systemClock } from '@bloomery/ports';
import { agentProto } from '@bloomery/wire';
import * as grpcJs from '@grpc/grpc-js';
import fc from 'fast-check';
import type { HttpRoute } from './http-route.ts';
import { startMachineListener } from './machine-listener.ts';

const agent = grpcService(agentProto.Agent, {
  createServer: (_request, { peer }) => ({ wipe: peer.host === '127.0.0.1' }),
  markServerAsWiped: () => ({}),
  reconcileServerAddresses: () => ({}),
  heartbeat: () => ({}),
  updateBMCInfo: () => ({}),
});

async function* chunks(): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < 3; i++) yield Buffer.from(`part ${i}\n`);
}

const routes: readonly HttpRoute[] = [
  {
    prefix: '/hello',
    handle: ({ query, address }) => ({ status: 200, body: `hello ${query.get('who')} at ${address}` }),
  },
  { prefix: '/files/', handle: ({ path }) => ({ status: 200, body: path }) },
  { prefix: '/stream', handle: () => ({ status: 200, headers: { 'content-length': 21 }, body: chunks() }) },
  { prefix: '/fail', handle: () => Promise.reject(new Error('no')) },
];

describe('the machine port', () => {
  let service: Service;
  let base: string;
  before(async () => {
    service = await startMachineListener(
      { host: '127.0.0.1', port: 0 },
      {
        serve: () => ({ routes, grpc: createGrpcHandler([agent], { log: silentLog, clock: systemClock }) }),
        log: silentLog,
        clock: systemClock,
        limits: { headerTimeoutMs: 300, connectionsPerAddress: 40, calls: { total: 60, perAddress: 60 } },
      },
    );
    base = `http://${hostPort(service.address)}`;
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
  });

  it('answers HTTP/1.1 by the longest prefix', async () => {
    const cases: [path: string, status: number, body: string][] = [
      ['/hello?who=a%20b', 200, 'hello a b at 127.0.0.1'],
      ['/files/a//b%2Fc', 200, '/files/a//b/c'],
      ['/stream', 200, 'part 0\npart 1\npart 2\n'],
      ['/fail', 500, ''],
      ['/hello/more', 404, ''],
      ['/%zz', 400, ''],
      ['/a%00b', 400, ''],
    ];
    for (const [path, status, body] of cases) {
      const answer = await fetch(base + path);
      assert.deepEqual([answer.status, await answer.text()], [status, body], path);
    }
  });
  it('answers HEAD without a body and refuses other methods', async () => {
    const head = await fetch(`${base}/stream`, { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '21', '']);
    assert.equal((await fetch(`${base}/hello`, { method: 'POST', body: 'x' })).status, 405);
  });
  it('answers HTTP/1.0 without a Host header, as old iPXE speaks', async () => {
    assert.match(
      await talk('GET /hello?who=x HTTP/1.0\r\n\r\n'),
      /^HTTP\/1\.1 200 OK\r\n[\s\S]*hello x at 127\.0\.0\.1$/,
    );
  });
  it('answers several requests on one kept connection, also when they come byte by byte', async () => {
    const socket = await open();
    const text =
      'GET /hello?who=1 HTTP/1.1\r\nHost: x\r\n\r\nGET /hello?who=2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    for (const byte of Buffer.from(text)) socket.write(Uint8Array.of(byte));
    const got = await readAll(socket);
    assert.match(got, /hello 1 at [\s\S]*hello 2 at /);
  });
  it('answers gRPC on the same port, also when the preface comes in pieces', async () => {
    const client = createGrpcClient({ address: service.address, clock: systemClock });
    assert.equal((await client.service(agentProto.Agent).createServer({})).wipe, true);
    client.close();
    const peer = new grpcJs.Client(hostPort(service.address), grpcJs.credentials.createInsecure());
    const answered = await new Promise<boolean>((resolve, reject) => {
      const same = (bytes: Buffer): Buffer => bytes;
      peer.makeUnaryRequest('/api.Agent/Heartbeat', same, same, Buffer.alloc(0), (error) =>
        error === null ? resolve(true) : reject(error),
      );
    });
    assert.ok(answered);
    peer.close();
    const socket = await open();
    for (const part of ['P', 'R', 'I * HTTP/2.0\r\n', '\r\nSM\r\n\r\n']) {
      socket.write(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [first] = await once(socket, 'data');
    assert.equal(Buffer.from(first)[3], 4, 'a SETTINGS frame');
    socket.destroy();
  });
  it('disconnects who says nothing, half a header, half a preface or no HTTP', async () => {
    const starts = ['', 'G', 'PR', 'PRI * HTTP/2.0\r\n', 'GET / HTTP/1.1\r\nX: y', '\x16\x03\x01', 'nonsense\r\n\r\n'];
    await Promise.all(
      starts.map(async (start) => {
        const socket = await open();
        socket.write(start);
        await readAll(socket);
      }),
    );
  });
  it('disconnects the peer above its number of connections, and serves it again later', async () => {
    const sockets = await Promise.all(Array.from({ length: 45 }, () => open()));
    const refused = sockets.slice(40);
    await Promise.all(refused.map(readAll));
    for (const socket of sockets) socket.destroy();
    await Promise.all(sockets.map((socket) => (socket.closed ? undefined : once(socket, 'close'))));
    const deadline = Date.now() + 5_000;
    for (;;) {
      const answer = await fetch(`${base}/hello?who=again`).catch(() => undefined);
      if (answer?.status === 200) break;
      assert.ok(Date.now() < deadline, 'not served again within 5 s');
    }
  });
  it('survives any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('', 'GET ', 'GET /hello HTTP/1.1\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        fc.uint8Array({ maxLength: 300 }),
        async (start, bytes) => {
          const socket = await open();
          socket.end(Buffer.concat([Buffer.from(start), bytes]));
          await readAll(socket);
        },
      ),
      { numRuns: 40, interruptAfterTimeLimit: 10_000 },
    );
    assert.equal((await fetch(`${base}/hello?who=1`)).status, 200);
  });
  it('refuses calls above the limit, also of several connections, and serves again when they are gone', async () => {
    const sessions = [http2Connect(base), http2Connect(base)];
    await Promise.all(sessions.map((session) => once(session, 'connect')));
    const headers = { ':method': 'POST', ':path': '/api.Agent/Heartbeat', 'content-type': 'application/grpc' };
    const begin = (at: number): ClientHttp2Stream | undefined => {
      const stream = sessions[at % 2]?.request(headers, { endStream: false });
      stream?.on('error', () => {});
      stream?.write(Buffer.alloc(1));
      return stream;
    };
    const streams = Array.from({ length: 60 }, (_, i) => begin(i));
    await Promise.all(sessions.map((session) => new Promise((resolve) => session.ping(resolve))));
    const refused = begin(0);
    await new Promise<void>((resolve) => refused?.once('close', resolve));
    assert.equal(refused?.rstCode, constants.NGHTTP2_REFUSED_STREAM);
    for (const stream of streams) stream?.close();
    await Promise.all(sessions.map((session) => new Promise((resolve) => session.ping(resolve))));
    const client = createGrpcClient({ address: service.address, clock: systemClock });
    assert.ok(await client.service(agentProto.Agent).heartbeat({}));
    client.close();
    for (const session of sessions) session.destroy();
  });
  it('ends the calls of a peer that is gone without waiting for their time', async () => {
    let open = 0;
    const other = await startMachineListener(
      { host: '127.0.0.1', port: 0 },
      {
        serve: () => ({
          routes,
          grpc: (stream) => {
            open += 1;
            stream.on('error', () => {});
            stream.once('close', () => {
              open -= 1;
            });
          },
        }),
        log: silentLog,
        clock: systemClock,
      },
    );
    const client = connect(other.address.port, other.address.host);
    const session = http2Connect(base, { createConnection: () => client });
    session.on('error', () => {});
    const stream = session.request({ ':method': 'POST' }, { endStream: false });
    stream.on('error', () => {});
    stream.write('x');
    await eventually(() => open === 1);
    client.destroy();
    await eventually(() => open === 0);
    await other[Symbol.asyncDispose]();
  });
  it('frees its port when it is stopped, with connections open', async () => {
    const other = await startMachineListener(
      { host: '127.0.0.1', port: 0 },
      {
        serve: () => ({ routes, grpc: createGrpcHandler([], { log: silentLog, clock: systemClock }) }),
        log: silentLog,
        clock: systemClock,
      },
    );
    const kept = httpRequest({ ...other.address, path: '/hello', agent: false });
    kept.on('error', () => {});
    kept.end();
    await once(kept, 'response');
    await other[Symbol.asyncDispose]();
    await assert.rejects(fetch(`http://${hostPort(other.address)}/hello`));
  });

  async function open(): Promise<Socket> {
    const socket = connect(service.address.port, service.address.host);
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  async function talk(text: string): Promise<string> {
    const socket = await open();
    socket.write(text);
    return await readAll(socket);
  }
});

async function eventually(condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < end, 'condition not reached in 10 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  if (!socket.closed) await once(socket, 'close', { signal: AbortSignal.timeout(10_000) });
  return text;
}
