import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { createGrpcClient, createGrpcHandler, grpcService } from '@bloomery/grpc';
import { hostPort, type Service, silentLog, systemClock, until } from '@bloomery/ports';
import { createTestAuthority } from '@bloomery/talos/testing';
import { linkProto } from '@bloomery/wire';
import * as grpcJs from '@grpc/grpc-js';
import fc from 'fast-check';
import type { HttpRoute } from './http-route.ts';
import { startMachineListener } from './machine-listener.ts';
import type { TlsFiles } from './tls-port.ts';

const provision = grpcService(linkProto.ProvisionService, {
  provision: (request, { peer }) => ({ serverAddress: `${request.nodeUuid} at ${peer.host}` }),
});
const routes: readonly HttpRoute[] = [{ prefix: '/hello', handle: () => ({ status: 200, body: 'hello' }) }];

const dir = mkdtempSync(join(tmpdir(), 'blm-tls-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const authority = await createTestAuthority();
const ca = authority.certificatePem;

async function writePair(name: string): Promise<TlsFiles> {
  const issued = await authority.issue(name, ['127.0.0.1']);
  const files = { certFile: join(dir, `${name}.crt`), keyFile: join(dir, `${name}.key`) };
  writeFileSync(files.certFile, issued.certificatePem);
  writeFileSync(files.keyFile, issued.keyPem);
  return files;
}

function start(tls: TlsFiles): Promise<Service> {
  return startMachineListener(
    { host: '127.0.0.1', port: 0 },
    {
      serve: () => ({ routes, grpc: createGrpcHandler([provision], { log: silentLog, clock: systemClock }) }),
      log: silentLog,
      clock: systemClock,
      limits: { headerTimeoutMs: 400 },
      tls,
    },
  );
}

describe('the machine port with a certificate', () => {
  let service: Service;
  let files: TlsFiles;
  before(async () => {
    files = await writePair('first');
    service = await start(files);
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
  });

  const secure = (options: { readonly ALPNProtocols?: string[] } = {}): TLSSocket => {
    const socket = connectTls({ ...service.address, ca, ...options });
    socket.on('error', () => {});
    return socket;
  };
  const presentedName = async (): Promise<string> => {
    const socket = secure();
    await once(socket, 'secureConnect');
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return String(subject.CN);
  };

  for (const [what, ALPNProtocols] of [
    ['ALPN h2', ['h2']],
    ['no ALPN, as old Talos', undefined],
  ] as const) {
    it(`answers gRPC with ${what}`, async () => {
      const client = createGrpcClient({
        address: service.address,
        clock: systemClock,
        connect: () => secure(ALPNProtocols === undefined ? {} : { ALPNProtocols: [...ALPNProtocols] }),
      });
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          client.service(linkProto.ProvisionService).provision({ nodeUuid: `u${i}` }),
        ),
      );
      assert.deepEqual(
        answers.map(({ serverAddress }) => serverAddress),
        Array.from({ length: 20 }, (_, i) => `u${i} at 127.0.0.1`),
      );
      client.close();
    });
  }
  it('answers a foreign gRPC client', async () => {
    const peer = new grpcJs.Client(hostPort(service.address), grpcJs.credentials.createSsl(Buffer.from(ca)));
    const same = (bytes: Buffer): Buffer => bytes;
    const answer = await new Promise<Buffer | undefined>((resolve, reject) => {
      peer.makeUnaryRequest('/sidero.link.ProvisionService/Provision', same, same, Buffer.alloc(0), (error, found) =>
        error === null ? resolve(found) : reject(error),
      );
    });
    assert.match(String(answer), /at 127\.0\.0\.1/);
    peer.close();
  });
  it('answers HTTP/1.1 inside TLS and in plain text', async () => {
    const request = httpsRequest({ ...service.address, path: '/hello', ca, agent: false });
    request.end();
    const [response] = await once(request, 'response');
    assert.equal((await response.toArray()).join(''), 'hello');
    assert.equal(await (await fetch(`http://${hostPort(service.address)}/hello`)).text(), 'hello');
  });
  it('speaks HTTP/1.1 with who offers both, as downloaders do', async () => {
    const socket = secure({ ALPNProtocols: ['h2', 'http/1.1'] });
    await once(socket, 'secureConnect');
    assert.equal(socket.alpnProtocol, 'http/1.1');
    socket.destroy();
  });
  it('disconnects handshakes that do not go on, TLS inside TLS, and silence inside TLS', async () => {
    const open = connectTcp(service.address);
    open.write('\x16\x03\x01\x02\x00');
    const inside = secure();
    inside.once('secureConnect', () => inside.write('\x16\x03\x01'));
    const silent = secure();
    await Promise.all([open, inside, silent].map((socket) => once(socket.resume(), 'close')));
  });
  it('closes handshakes above its number for one address, and serves it again when they are over', async () => {
    const sockets = await Promise.all(
      Array.from({ length: 140 }, async () => {
        const socket = connectTcp(service.address);
        socket.on('error', () => {});
        await once(socket, 'connect');
        socket.write('\x16\x03\x01\x02\x00');
        return socket.resume();
      }),
    );
    await Promise.all(sockets.map((socket) => (socket.closed ? undefined : once(socket, 'close'))));
    // The server hears a little later than its client that a handshake is over; none of them is counted for ever.
    for (let i = 0; i < 140; i++) {
      await until('served again', async () => (await presentedName().catch(() => '')) === 'first');
    }
  });
  it('survives any bytes in a handshake', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const socket = connectTcp(service.address);
        socket.on('error', () => {});
        socket.end(Buffer.concat([Buffer.from([0x16]), bytes]));
        socket.resume();
        if (!socket.closed) await once(socket, 'close', { signal: AbortSignal.timeout(10_000) });
      }),
      { numRuns: 15, interruptAfterTimeLimit: 10_000 },
    );
    assert.equal(await presentedName(), 'first');
  });
  it('takes up a renewed certificate, and keeps the old one while the files do not fit together', async () => {
    const next = await writePair('second');
    const { readFileSync } = await import('node:fs');
    writeFileSync(files.certFile, readFileSync(next.certFile));
    await fetch(`http://${hostPort(service.address)}/hello`);
    for (let i = 0; i < 3; i++) assert.equal(await presentedName(), 'first');
    writeFileSync(files.keyFile, readFileSync(next.keyFile));
    await until('renewed', async () => (await presentedName()) === 'second');
  });
});

describe('a certificate that cannot be used', () => {
  it('ends the start with the name of the file', async () => {
    const good = await writePair('good');
    const other = await writePair('other');
    const rubbish = join(dir, 'rubbish');
    writeFileSync(rubbish, 'rubbish');
    const missing = join(dir, 'missing');
    const cases: [files: TlsFiles, named: string][] = [
      [{ ...good, certFile: missing }, missing],
      [{ ...good, keyFile: missing }, missing],
      [{ ...good, certFile: rubbish }, rubbish],
      [{ ...good, keyFile: rubbish }, rubbish],
      [{ ...good, keyFile: other.keyFile }, other.keyFile],
    ];
    for (const [files, named] of cases) {
      await assert.rejects(start(files), { code: 'BLM_TLS_FILE', facts: { file: named } });
    }
  });
});
