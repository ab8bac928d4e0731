import assert from 'node:assert/strict';
import { createServer, get as getPlain, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer, get } from 'node:https';
import type { Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '@bloomery/ports';
import type { Environment } from '@bloomery/siderolink';
import { type FakeProxy, startConnectProxy, startSocksProxy } from '@bloomery/siderolink/testing';
import { createTestAuthority } from '@bloomery/talos/testing';
import { createProxyDialer } from './proxy-dialer.ts';

const NAME = 'assets.test';

describe('the dialer of the daemon', () => {
  let plain: Server;
  let secure: Server;
  let authority = '';
  const portOf = (server: Server): number => {
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    return address.port;
  };
  before(async () => {
    const ca = await createTestAuthority();
    const leaf = await ca.issue(NAME, [NAME, '127.0.0.1']);
    authority = ca.certificatePem;
    plain = createServer((_request, response) => response.end('plain'));
    secure = createSecureServer({ cert: leaf.certificatePem, key: leaf.keyPem }, (_request, response) =>
      response.end('secure'),
    );
    for (const server of [plain, secure]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(() => {
    plain.close();
    secure.close();
  });

  /** The body of the answer, or the text of the error. */
  const fetch = async (
    scheme: 'http' | 'https',
    host: string,
    environment: Environment,
    authorities = (): string | undefined => authority,
  ): Promise<string> => {
    const dialer = createProxyDialer({
      clock: systemClock,
      environment: () => environment,
      authorities,
    });
    const port = portOf(scheme === 'https' ? secure : plain);
    const url = `${scheme}://${host}:${port}/`;
    const createConnection = () => dialer.open({ host, port }, { isTls: scheme === 'https', protocols: ['http/1.1'] });
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const request = (scheme === 'https' ? get : getPlain)(url, { createConnection }, resolve);
        request.once('error', reject);
      });
      const chunks = await response.toArray();
      return Buffer.concat(chunks).toString();
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  const through = async (proxy: FakeProxy, run: () => Promise<string>): Promise<readonly [string, number]> => {
    await using _proxy = proxy;
    const body = await run();
    return [body, proxy.asked.length];
  };

  it('goes straight to a server where no proxy is named', async () => {
    assert.equal(await fetch('http', '127.0.0.1', {}), 'plain');
    assert.equal(await fetch('https', '127.0.0.1', {}), 'secure');
  });
  it('goes straight to this host whatever is named', async () => {
    assert.equal(await fetch('http', 'localhost', { http_proxy: 'http://127.0.0.1:9' }), 'plain');
  });
  it('goes through the proxy of its kind, with a password', async () => {
    const proxy = await startConnectProxy({ credentials: 'user:pa ss' });
    const environment = { HTTPS_PROXY: `http://user:pa%20ss@127.0.0.1:${proxy.port}` };
    assert.deepEqual(await through(proxy, () => fetch('https', NAME, environment)), ['secure', 1]);
  });
  it('speaks plain HTTP through a tunnel, too', async () => {
    const proxy = await startConnectProxy();
    assert.deepEqual(await through(proxy, () => fetch('http', NAME, { http_proxy: `127.0.0.1:${proxy.port}` })), [
      'plain',
      1,
    ]);
  });
  it('goes through SOCKS 5, and the proxy resolves the name', async () => {
    const proxy = await startSocksProxy();
    assert.deepEqual(
      await through(proxy, () => fetch('https', NAME, { all_proxy: `socks5://127.0.0.1:${proxy.port}` })),
      ['secure', 1],
    );
  });
  it('does not believe a server that no authority knows', async () => {
    assert.match(await fetch('https', '127.0.0.1', {}, () => undefined), /certificate/);
  });
  it('follows the authorities at each connection', async () => {
    const other = (await createTestAuthority()).certificatePem;
    const answers: string[] = [];
    for (const known of [authority, other, `${other}\n${authority}`, other]) {
      answers.push(await fetch('https', '127.0.0.1', {}, () => known));
    }
    assert.deepEqual(
      answers.map((answer) => answer === 'secure'),
      [true, false, true, false],
    );
  });
  it('says which proxy refused what', async () => {
    const proxy = await startConnectProxy({ refuse: 403 });
    const [text] = await through(proxy, () => fetch('https', NAME, { https_proxy: `http://127.0.0.1:${proxy.port}` }));
    assert.equal(text, `asking the proxy 127.0.0.1:${proxy.port} for ${NAME}:${portOf(secure)}: it refused with 403`);
  });
  it('follows the environment at each connection', async () => {
    const proxy = await startConnectProxy();
    await using _proxy = proxy;
    let environment: Environment = { https_proxy: 'http://127.0.0.1:1' };
    const dialer = createProxyDialer({
      clock: systemClock,
      environment: () => environment,
      authorities: () => authority,
    });
    const target = { host: NAME, port: portOf(secure) };
    const createConnection = () => dialer.open(target, { isTls: true });
    const body = (): Promise<string> =>
      new Promise((resolve) => {
        get(`https://${NAME}:${target.port}/`, { createConnection }, (response) =>
          response.on('data', (chunk) => resolve(String(chunk))),
        ).once('error', (error) => resolve(error.message));
      });
    assert.match(await body(), /^connecting to the proxy 127\.0\.0\.1:1: /);
    environment = { https_proxy: `http://127.0.0.1:${proxy.port}` };
    assert.equal(await body(), 'secure');
  });
});
