import assert from 'node:assert/strict';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { pod, podEviction } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import { createTestAuthority, type TestAuthority } from '@bloomery/talos/testing';
import { createApiTransport } from './http-transport.ts';
import type { ClusterAccess } from './kubeconfig.ts';
import { createRemoteClient } from './remote-client.ts';

describe('a transport over TLS', () => {
  let authority: TestAuthority;
  let server: Server;
  let access: ClusterAccess;
  const asked: string[] = [];

  before(async () => {
    authority = await createTestAuthority();
    const { certificatePem, keyPem } = await authority.issue('api', ['127.0.0.1']);
    server = createServer({ cert: certificatePem, key: keyPem }, (request, response) => {
      asked.push(`${request.method} ${request.url}`);
      if (request.url === '/hang') return;
      response.end(request.url === '/large' ? 'x'.repeat(2000) : '{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    access = { server: `https://127.0.0.1:${port}`, ca: authority.certificatePem, namespace: 'default' };
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  it('goes through the proxy that the kubeconfig names', async () => {
    const through: string[] = [];
    const proxy = createHttpServer();
    proxy.on('connect', (request: IncomingMessage, socket: Duplex) => {
      through.push(request.url ?? '');
      const target = connect(Number(new URL(access.server).port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        target.pipe(socket).pipe(target);
      });
      target.on('error', () => socket.destroy());
      socket.on('error', () => target.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    await using transport = createApiTransport({ ...access, proxyUrl });
    assert.equal(await transport.send({ method: 'GET', path: '/x' }), '{}');
    assert.deepEqual(through, [new URL(access.server).host]);
    proxy.close();
  });

  it('gives a call up after its time, and an answer that is too large', async () => {
    await using transport = createApiTransport(access, { timeoutMs: 50, maxAnswerBytes: 1000 });
    await assert.rejects(transport.send({ method: 'GET', path: '/hang' }), /no answer in 0\.05 s$/);
    await assert.rejects(transport.send({ method: 'GET', path: '/large' }), /larger than 1000 bytes$/);
  });

  it('refuses a key that does not belong to its certificate before anything is sent', async () => {
    const [one, other] = await Promise.all([authority.issue('a', ['a']), authority.issue('b', ['b'])]);
    const mixed = { ...access, cert: one.certificatePem, key: other.keyPem };
    assert.throws(
      () => createApiTransport(mixed),
      (error) => isBloomeryError(error, 'BLM_KUBECONFIG_INVALID') && error.message.startsWith('connecting to https://'),
    );
  });

  it('creates an eviction below its Pod', async () => {
    await using client = createRemoteClient(access);
    const metadata = { name: 'p', namespace: 'n' };
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata };
    await client.create(podEviction, eviction, { below: 'eviction' });
    assert.equal(asked.at(-1), 'POST /api/v1/namespaces/n/pods/p/eviction');
    await client.create(pod, { apiVersion: 'v1', kind: 'Pod', metadata });
    assert.equal(asked.at(-1), 'POST /api/v1/namespaces/n/pods');
  });
});
