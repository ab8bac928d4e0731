import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLog, systemClock } from '@bloomery/ports';
import { agentProto } from '@bloomery/wire';
import { createGrpcClient, createGrpcHandler, grpcService } from './index.ts';

const MESSAGE_BYTES = 1000;
const nothing = (): Record<string, never> => ({});
const agent = grpcService(agentProto.Agent, {
  createServer: nothing,
  markServerAsWiped: nothing,
  reconcileServerAddresses: nothing,
  heartbeat: nothing,
  updateBMCInfo: nothing,
});

describe('requests that are not complete', () => {
  let server: Http2Server;
  let session: ClientHttp2Session;
  let port: number;
  const start = async (limits: Partial<Parameters<typeof createGrpcHandler>[1]>): Promise<void> => {
    server.on('stream', createGrpcHandler([agent], { log: silentLog, clock: systemClock, ...limits }));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
    session = connect(`http://127.0.0.1:${port}`);
  };
  beforeEach(() => {
    server = createServer();
  });
  afterEach(() => {
    session.destroy();
    server.close();
  });
  /** A call that begins with these bytes and does not end. */
  const begin = (bytes: Uint8Array): ClientHttp2Stream => {
    const headers = { ':method': 'POST', ':path': '/api.Agent/Heartbeat', 'content-type': 'application/grpc' };
    const stream = session.request(headers, { endStream: false });
    stream.on('error', () => {});
    stream.write(bytes);
    return stream;
  };
  const statusOf = async (stream: ClientHttp2Stream): Promise<unknown> => {
    const [headers] = await once(stream, 'response');
    return (headers as Record<string, unknown>)['grpc-status'];
  };
  const head = (): Buffer => {
    const bytes = Buffer.alloc(700);
    bytes.writeUInt32BE(MESSAGE_BYTES, 1);
    return bytes;
  };

  it('end with DEADLINE_EXCEEDED, however little came', async () => {
    await start({ requestTimeoutMs: 20 });
    assert.deepEqual(await Promise.all([Buffer.alloc(0), Buffer.alloc(2), head()].map((b) => statusOf(begin(b)))), [
      '4',
      '4',
      '4',
    ]);
  });

  it('are refused above the bytes that may be kept; complete ones are served meanwhile, and all when they are gone', async () => {
    await start({ incompleteMaxBytes: { total: 5_000, perAddress: 2_000 }, messageMaxBytes: MESSAGE_BYTES });
    const held = [begin(head()), begin(head())];
    assert.equal(await statusOf(begin(head())), '8');
    const client = createGrpcClient({ address: { host: '127.0.0.1', port }, clock: systemClock });
    assert.ok(await client.service(agentProto.Agent).heartbeat({ uuid: 'u' }));
    client.close();
    for (const stream of held) stream.close();
    await Promise.all(held.map((stream) => once(stream, 'close')));
    const late = begin(head());
    late.end(Buffer.alloc(5 + MESSAGE_BYTES - 700));
    assert.equal(await statusOf(late), '13', 'kept, whole, and no message');
  });
});
