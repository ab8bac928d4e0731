import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { systemClock, until } from '@bloomery/ports';
import { linkTunnelProto } from '@bloomery/wire';
import * as grpcJs from '@grpc/grpc-js';
import { encodeFrame } from './frames.ts';
import {
  createGrpcClient,
  createGrpcHandler,
  type GrpcClient,
  grpcError,
  grpcStatusOf,
  type RawCall,
} from './index.ts';

const METHOD = linkTunnelProto.WireGuardOverGRPCService.method.createStream;
const PATH = '/sidero.link.WireGuardOverGRPCService/CreateStream';

/** What the served method does, by the metadata `x-do`. */
const BEHAVIOURS: Readonly<Record<string, (call: RawCall) => void>> = {
  echo: (call) => {
    call.accept();
    call.stream.on('data', (chunk) => call.stream.write(chunk));
    call.stream.on('end', () => call.finish('OK'));
  },
  refuse: (call) => call.finish('PERMISSION_DENIED', 'peer not allowed'),
  throw: () => {
    throw grpcError('INVALID_ARGUMENT', 'no address');
  },
  break: () => {
    throw new TypeError('secret');
  },
  greet: (call) => {
    call.accept();
    call.accept();
    call.stream.write(encodeFrame(Buffer.from('hello')));
    call.finish('ABORTED', 'peer replaced');
    call.finish('OK');
  },
  wait: (call) => {
    call.accept();
    call.stream.resume();
    call.context.signal.addEventListener('abort', () => aborted.push(call.context.peer.host));
  },
};
const aborted: string[] = [];

describe('a method that frames its messages itself', () => {
  let server: Http2Server;
  let client: GrpcClient;
  let port: number;
  const warned: string[] = [];
  before(async () => {
    const open = (call: RawCall): void => BEHAVIOURS[call.context.metadata['x-do'] ?? '']?.(call);
    const log = { debug() {}, info() {}, warn() {}, error: (event: string) => warned.push(event), with: () => log };
    server = createServer();
    server.on(
      'stream',
      createGrpcHandler([{ name: 'x', methods: [{ path: PATH, open }] }], { log, clock: systemClock }),
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    port = (server.address() as AddressInfo).port;
    client = createGrpcClient({ address: { host: '127.0.0.1', port }, clock: systemClock });
  });
  after(() => {
    client.close();
    server.close();
  });

  const refusals: [what: string, status: string, message: string][] = [
    ['refuse', 'PERMISSION_DENIED', 'peer not allowed'],
    ['throw', 'INVALID_ARGUMENT', 'no address'],
    ['break', 'UNKNOWN', 'internal error'],
    ['greet', 'ABORTED', 'peer replaced'],
  ];
  for (const [what, status, message] of refusals) {
    it(`ends with ${status} for both kinds of client when it does: ${what}`, async () => {
      const call = client.open(METHOD, { metadata: { 'X-Do': what } });
      const read: Buffer[] = [];
      call.stream.on('data', (chunk: Buffer) => read.push(chunk));
      await assert.rejects(call.ended(), (error) => grpcStatusOf(error) === status && String(error).includes(message));
      assert.equal(
        Buffer.concat(read).toString('hex'),
        what === 'greet' ? Buffer.from(encodeFrame(Buffer.from('hello'))).toString('hex') : '',
      );
      const peer = new grpcJs.Client(`127.0.0.1:${port}`, grpcJs.credentials.createInsecure());
      const metadata = new grpcJs.Metadata();
      metadata.set('x-do', what);
      const same = (bytes: Buffer): Buffer => bytes;
      const stream = peer.makeBidiStreamRequest(PATH, same, same, metadata).resume();
      const [error] = await once(stream, 'error');
      assert.deepEqual([grpcJs.status[error.code], error.details], [status, message]);
      peer.close();
    });
  }

  it('logs what was not meant to be thrown', () => assert.deepEqual(new Set(warned), new Set(['grpc.handler_failed'])));

  it('gives and takes bytes until the caller ends', async () => {
    const call = client.open(METHOD, { metadata: { 'x-do': 'echo' } });
    const read: Buffer[] = [];
    call.stream.on('data', (chunk: Buffer) => read.push(chunk));
    const sent = Array.from({ length: 100 }, (_, i) => Buffer.alloc(2_000, i));
    for (const part of sent) call.stream.write(part);
    call.stream.end();
    await call.ended();
    assert.ok(Buffer.concat(read).equals(Buffer.concat(sent)));
  });

  it('is told when the caller gives up or its deadline passes', async () => {
    const calls = [
      client.open(METHOD, { metadata: { 'x-do': 'wait' } }),
      // Long enough for the call to be answered on a busy machine before its deadline passes.
      client.open(METHOD, { metadata: { 'x-do': 'wait' }, timeoutMs: 2_000 }),
    ];
    for (const call of calls) call.stream.resume();
    await Promise.all(calls.map((call) => once(call.stream, 'response')));
    calls[0]?.cancel();
    const ends = await Promise.allSettled(calls.map((call) => call.ended()));
    assert.deepEqual(
      ends.map((end) => (end.status === 'rejected' ? grpcStatusOf(end.reason) : 'OK')),
      ['UNAVAILABLE', 'DEADLINE_EXCEEDED'],
    );
    await until('both told', () => aborted.length === 2);
  });
});
