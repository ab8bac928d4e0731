import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type BoundAddress, isBloomeryError, silentLog, systemClock } from '@bloomery/ports';
import { agentProto } from '@bloomery/wire';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as grpcJs from '@grpc/grpc-js';
import {
  createGrpcClient,
  createGrpcHandler,
  type GrpcService,
  grpcError,
  grpcService,
  grpcServicePart,
  grpcStatusOf,
} from './index.ts';

const {
  Agent,
  HeartbeatRequestSchema,
  HeartbeatResponseSchema,
  CreateServerRequestSchema,
  CreateServerResponseSchema,
} = agentProto;

const seen: { metadata?: string | undefined; host?: string; aborted?: boolean } = {};

const agent = grpcService(Agent, {
  createServer: (request, context) => {
    seen.metadata = context.metadata['x-token'];
    seen.host = context.peer.host;
    return { wipe: request.hostname === 'dirty', rebootTimeout: 1.5 };
  },
  markServerAsWiped: () => {
    throw grpcError('NOT_FOUND', 'no server “ä” 100 %');
  },
  reconcileServerAddresses: (_request, context) =>
    new Promise((_resolve, reject) => {
      context.signal.addEventListener('abort', () => {
        seen.aborted = true;
        reject(new Error('gone'));
      });
    }),
  heartbeat: () => {
    throw new Error('secret detail');
  },
  updateBMCInfo: () => ({}),
});

/** A service with every kind of stream, on the level of bytes: what it gets is a HeartbeatRequest. */
const streams: GrpcService = {
  name: 'test.Streams',
  methods: [
    {
      path: '/test.Streams/Echo',
      serve: async function* (messages) {
        for await (const message of messages) yield message;
      },
    },
    {
      path: '/test.Streams/First',
      serve: async function* (messages) {
        for await (const message of messages) return yield message;
      },
    },
  ],
};

const asHeartbeat = {
  requestSerialize: (uuid: string) =>
    Buffer.from(toBinary(HeartbeatRequestSchema, create(HeartbeatRequestSchema, { uuid }))),
  responseDeserialize: (bytes: Buffer) => fromBinary(HeartbeatRequestSchema, bytes).uuid,
};

function grpcJsClient(address: BoundAddress): grpcJs.Client {
  return new grpcJs.Client(`${address.host}:${address.port}`, grpcJs.credentials.createInsecure());
}

function grpcJsUnary(
  client: grpcJs.Client,
  path: string,
  request: Uint8Array,
  options: grpcJs.CallOptions = {},
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const metadata = new grpcJs.Metadata();
    metadata.set('x-token', 'T1');
    const same = (value: Buffer): Buffer => value;
    client.makeUnaryRequest(path, same, same, Buffer.from(request), metadata, options, (error, value) => {
      if (error !== null || value === undefined) reject(error ?? new Error('no value'));
      else resolve(value);
    });
  });
}

describe('gRPC over a shared HTTP/2 connection', () => {
  let server: Http2Server;
  let address: BoundAddress;
  before(async () => {
    server = createServer();
    server.on(
      'stream',
      createGrpcHandler([agent, streams], { log: silentLog, clock: systemClock, messageMaxBytes: 1000 }),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address() as AddressInfo;
    address = { host: '127.0.0.1', port: bound.port };
  });
  after(() => {
    server.close();
  });

  describe('served to @grpc/grpc-js', () => {
    let client: grpcJs.Client;
    before(() => {
      client = grpcJsClient(address);
    });
    after(() => client.close());

    it('answers a unary call and passes metadata and the peer address', async () => {
      const request = toBinary(CreateServerRequestSchema, create(CreateServerRequestSchema, { hostname: 'dirty' }));
      const answer = fromBinary(
        CreateServerResponseSchema,
        await grpcJsUnary(client, '/api.Agent/CreateServer', request),
      );
      assert.equal(answer.wipe, true);
      assert.equal(answer.rebootTimeout, 1.5);
      assert.equal(seen.metadata, 'T1');
      assert.equal(seen.host, '127.0.0.1');
    });
    it('gives a thrown status with its text', async () => {
      await assert.rejects(grpcJsUnary(client, '/api.Agent/MarkServerAsWiped', new Uint8Array()), {
        code: grpcJs.status.NOT_FOUND,
        details: 'no server “ä” 100 %',
      });
    });
    it('hides the text of unexpected failures', async () => {
      await assert.rejects(grpcJsUnary(client, '/api.Agent/Heartbeat', new Uint8Array()), {
        code: grpcJs.status.UNKNOWN,
        details: 'internal error',
      });
    });
    it('calls unknown methods UNIMPLEMENTED', async () => {
      await assert.rejects(grpcJsUnary(client, '/api.Agent/Nope', new Uint8Array()), {
        code: grpcJs.status.UNIMPLEMENTED,
        details: 'Unknown method /api.Agent/Nope',
      });
    });
    it('refuses bytes that are not the message', async () => {
      await assert.rejects(grpcJsUnary(client, '/api.Agent/CreateServer', Uint8Array.of(0xff, 0xff)), {
        code: grpcJs.status.INTERNAL,
      });
    });
    it('refuses messages above the limit', async () => {
      await assert.rejects(grpcJsUnary(client, '/api.Agent/CreateServer', new Uint8Array(1001)), {
        code: grpcJs.status.RESOURCE_EXHAUSTED,
      });
    });
    it('tells the handler when the deadline passed', async () => {
      seen.aborted = false;
      const call = grpcJsUnary(client, '/api.Agent/ReconcileServerAddresses', new Uint8Array(), {
        deadline: Date.now() + 100,
      });
      await assert.rejects(call, { code: grpcJs.status.DEADLINE_EXCEEDED });
      await until(() => seen.aborted === true);
    });
    it('echoes a bidirectional stream in order', async () => {
      const call = client.makeBidiStreamRequest(
        '/test.Streams/Echo',
        asHeartbeat.requestSerialize,
        asHeartbeat.responseDeserialize,
      );
      for (let i = 0; i < 500; i++) call.write(`m${i}`);
      call.end();
      const got: string[] = [];
      for await (const message of call) got.push(String(message));
      assert.deepEqual(
        got,
        Array.from({ length: 500 }, (_, i) => `m${i}`),
      );
    });
    it('may end a stream that the client goes on sending', async () => {
      const call = client.makeBidiStreamRequest(
        '/test.Streams/First',
        asHeartbeat.requestSerialize,
        asHeartbeat.responseDeserialize,
      );
      call.write('one');
      call.write('two');
      const got: string[] = [];
      for await (const message of call) got.push(String(message));
      assert.deepEqual(got, ['one']);
    });
  });

  describe('called by our client', () => {
    it('answers from our own server, over one connection for many calls', async () => {
      const client = createGrpcClient({ address, clock: systemClock });
      const api = client.service(Agent);
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          api.createServer({ hostname: i % 2 === 0 ? 'dirty' : 'clean' }, { metadata: { 'X-Token': 'T2' } }),
        ),
      );
      assert.deepEqual(
        answers.map((a) => a.wipe),
        Array.from({ length: 50 }, (_, i) => i % 2 === 0),
      );
      assert.equal(seen.metadata, 'T2');
      client.close();
    });
    it('throws the status of the peer', async () => {
      const client = createGrpcClient({ address, clock: systemClock });
      const call = client.service(Agent).markServerAsWiped({ uuid: 'x' });
      await assert.rejects(
        call,
        (error) => grpcStatusOf(error) === 'NOT_FOUND' && String(error).includes('no server “ä” 100 %'),
      );
      client.close();
    });
    it('keeps its own deadline', async () => {
      const client = createGrpcClient({ address, clock: systemClock });
      const call = client.service(Agent).reconcileServerAddresses({}, { timeoutMs: 50 });
      await assert.rejects(call, (error) => grpcStatusOf(error) === 'DEADLINE_EXCEEDED');
      client.close();
    });
    it('says UNAVAILABLE when nobody listens', async () => {
      const probe = createServer().listen(0, '127.0.0.1');
      await once(probe, 'listening');
      const { port } = probe.address() as AddressInfo;
      probe.close();
      await once(probe, 'close');
      const client = createGrpcClient({ address: { host: '127.0.0.1', port }, clock: systemClock });
      await assert.rejects(
        client.service(Agent).heartbeat({}),
        (error) => isBloomeryError(error) && error.retryable && grpcStatusOf(error) === 'UNAVAILABLE',
      );
      client.close();
    });
    it('works with a server of @grpc/grpc-js', async () => {
      const peer = new grpcJs.Server();
      const same = (value: Buffer): Buffer => value;
      const method = {
        path: '/api.Agent/Heartbeat',
        requestStream: false,
        responseStream: false,
        requestSerialize: same,
        requestDeserialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      } as const;
      peer.addService(
        { heartbeat: method, markServerAsWiped: { ...method, path: '/api.Agent/MarkServerAsWiped' } },
        {
          heartbeat: (_call: unknown, done: grpcJs.sendUnaryData<Buffer>) =>
            done(null, Buffer.from(toBinary(HeartbeatResponseSchema, create(HeartbeatResponseSchema)))),
          markServerAsWiped: (_call: unknown, done: grpcJs.sendUnaryData<Buffer>) =>
            done({ code: grpcJs.status.PERMISSION_DENIED, details: 'not you' }),
        },
      );
      const port = await new Promise<number>((resolve, reject) => {
        peer.bindAsync('127.0.0.1:0', grpcJs.ServerCredentials.createInsecure(), (error, bound) =>
          error === null ? resolve(bound) : reject(error),
        );
      });
      const client = createGrpcClient({ address: { host: '127.0.0.1', port }, clock: systemClock });
      const api = client.service(Agent);
      assert.deepEqual(await api.heartbeat({ uuid: 'u' }), create(HeartbeatResponseSchema));
      await assert.rejects(api.markServerAsWiped({}), (error) => grpcStatusOf(error) === 'PERMISSION_DENIED');
      client.close();
      peer.forceShutdown();
    });
  });
});

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 5_000;
  while (!condition()) {
    assert.ok(Date.now() < end, 'condition not reached in 5 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('a part of a service', () => {
  it('ends what it does not have with UNIMPLEMENTED', async () => {
    const part = grpcServicePart(Agent, { createServer: () => ({ wipe: true }) });
    const server = createServer();
    server.on('stream', createGrpcHandler([part], { log: silentLog, clock: systemClock }));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = createGrpcClient({ address: { host: '127.0.0.1', port }, clock: systemClock });
    try {
      assert.equal((await client.service(Agent).createServer({})).wipe, true);
      await assert.rejects(client.service(Agent).heartbeat({}), (error) => grpcStatusOf(error) === 'UNIMPLEMENTED');
    } finally {
      client.close();
      server.close();
    }
  });
});
