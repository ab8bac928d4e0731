import assert from 'node:assert/strict';
import { createSecureServer, createServer, type Http2SecureServer, type Http2Server } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import { createGrpcClient, createGrpcHandler, grpcService } from '@bloomery/grpc';
import { createFakeClock, silentLog, systemClock, until } from '@bloomery/ports';
import { createTestAuthority } from '@bloomery/talos/testing';
import { linkProto } from '@bloomery/wire';
import { type FakeProxy, startConnectProxy, startSocksProxy } from '../testing/fake-proxies.ts';
import { openApiSocket } from './open-socket.ts';
import type { Environment } from './proxy-for.ts';

const NAME = 'plane.test';

describe('a connection to the API', () => {
  let plain: Http2Server;
  let secure: Http2SecureServer;
  let authority = '';
  let certificate = { cert: '', key: '' };
  const portOf = (server: Http2Server): number => {
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    return address.port;
  };

  before(async () => {
    const ca = await createTestAuthority();
    const leaf = await ca.issue(NAME, [NAME, '127.0.0.1']);
    authority = ca.certificatePem;
    certificate = { cert: leaf.certificatePem, key: leaf.keyPem };
    const service = grpcService(linkProto.ProvisionService, {
      provision: (request) => ({ nodeAddressPrefix: request.nodeUuid }),
    });
    const handle = createGrpcHandler([service], { clock: systemClock, log: silentLog });
    plain = createServer().on('stream', handle);
    secure = createSecureServer(certificate).on('stream', handle);
    for (const server of [plain, secure]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
  });
  after(() => {
    plain.close();
    secure.close();
  });

  /** Calls Provision and gives the answer, or the text of the error. */
  const provision = async (host: string, isTls: boolean, environment: Environment): Promise<string> => {
    const address = { host, port: portOf(isTls ? secure : plain) };
    const deps = { clock: systemClock, environment: () => environment, authorities: () => authority };
    const connect = () => openApiSocket(address, isTls, deps);
    const client = createGrpcClient({ address, clock: systemClock, connect, ...(isTls ? { tls: {} } : {}) });
    try {
      const answer = await client.service(linkProto.ProvisionService).provision({ nodeUuid: 'it works' });
      return answer.nodeAddressPrefix;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      client.close();
    }
  };

  it('is made straight where no proxy is named', async () => {
    assert.equal(await provision('127.0.0.1', false, {}), 'it works');
    assert.equal(await provision('127.0.0.1', true, {}), 'it works');
  });

  const proxies: readonly [string, string, (withFirstBytes: boolean) => Promise<FakeProxy>][] = [
    ['an HTTP proxy', 'http://', (w) => startConnectProxy({ withFirstBytes: w })],
    [
      'an HTTP proxy that wants a password',
      'http://me:p%40ss@',
      (w) => startConnectProxy({ withFirstBytes: w, credentials: 'me:p@ss' }),
    ],
    ['an HTTP proxy behind TLS', 'https://', (w) => startConnectProxy({ withFirstBytes: w, tls: certificate })],
    ['a SOCKS 5 proxy', 'socks5://', (w) => startSocksProxy({ withFirstBytes: w })],
    [
      'a SOCKS 5 proxy that wants a password',
      'socks5://me:p%40ss@',
      (w) => startSocksProxy({ withFirstBytes: w, credentials: 'me:p@ss' }),
    ],
  ];
  for (const [title, url, start] of proxies) {
    for (const isTls of [false, true]) {
      it(`goes through ${title} to an API ${isTls ? 'with TLS' : 'in plain text'}, whose name the proxy resolves`, async () => {
        await using proxy = await start(!isTls);
        const environment = { HTTPS_PROXY: `${url}127.0.0.1:${proxy.port}` };
        assert.equal(await provision(NAME, isTls, environment), 'it works');
        assert.deepEqual(proxy.asked, [`${NAME}:${portOf(isTls ? secure : plain)}`]);
      });
    }
  }

  const refusals: readonly [string, string, () => Promise<FakeProxy>, RegExp][] = [
    [
      'an HTTP proxy refuses',
      'http://',
      () => startConnectProxy({ refuse: 403 }),
      /asking the proxy .* for plane\.test:\d+: it refused with 403/,
    ],
    [
      'an HTTP proxy wants a password',
      'http://',
      () => startConnectProxy({ credentials: 'a:b' }),
      /it refused with 407/,
    ],
    ['a SOCKS 5 proxy refuses', 'socks5://', () => startSocksProxy({ refuse: 5 }), /it refused: connection refused/],
    [
      'a SOCKS 5 proxy wants a password',
      'socks5://',
      () => startSocksProxy({ credentials: 'a:b' }),
      /it wants other credentials/,
    ],
    [
      'a SOCKS 5 proxy wants another password',
      'socks5://a:x@',
      () => startSocksProxy({ credentials: 'a:b' }),
      /it refused the user name or password/,
    ],
    [
      'an HTTP proxy is asked as SOCKS',
      'socks5://',
      () => startConnectProxy(),
      /it (closed the connection|does not speak SOCKS 5)/,
    ],
  ];
  for (const [title, url, start, message] of refusals) {
    it(`says so when ${title}, without the password`, async () => {
      await using proxy = await start();
      const text = await provision(NAME, false, { HTTPS_PROXY: `${url}127.0.0.1:${proxy.port}` });
      assert.match(text, message);
      assert.doesNotMatch(text, /a:b|a:x/);
    });
  }

  it('ends with the reason when the proxy is not there, and when its address is none', async () => {
    const proxy = await startConnectProxy();
    await proxy[Symbol.asyncDispose]();
    const there = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
    assert.match(await provision(NAME, false, there), /connecting to the proxy 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    assert.match(
      await provision(NAME, false, { HTTPS_PROXY: 'ftp://h' }),
      /proxy of HTTPS_PROXY: it has the scheme ftp/,
    );
  });

  it('gives a silent proxy 15 s', async () => {
    await using proxy = await startSocksProxy({ refuse: 'silent' });
    const clock = createFakeClock();
    const environment = () => ({ HTTPS_PROXY: `socks5://127.0.0.1:${proxy.port}` });
    const socket = openApiSocket({ host: NAME, port: 1 }, false, { clock, environment });
    const failed = new Promise<Error>((resolve) => socket.once('error', resolve));
    await until('the proxy is asked', () => proxy.asked.length > 0);
    await clock.advance(15_000);
    assert.match((await failed).message, /asking the proxy .*: no answer in 15 s/);
  });
});
