import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { createSecureServer } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, connect as connectTcp, createServer as createTcp, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createServer as createTls } from 'node:tls';
import { systemClock, until } from '@bloomery/ports';
import { createCertificateAuthority, issueCertificate } from '@bloomery/talos';
import { readDnsQuery } from '@bloomery/wire';
import type { DnsUpstreamSetting } from '../host-dns.ts';
import { StreamFramer } from '../stream-framer.ts';
import { decoded, questionOf } from '../testing/dns-client.ts';
import { answerOf } from '../testing/scripted-server.ts';
import type { DnsDialer, Exchange } from './exchange.ts';
import { upstreamReason } from './upstream-error.ts';
import { createExchange } from './upstream-exchange.ts';
import type { UpstreamQuestion } from './upstream-question.ts';

const question = (name = 'host.test', transport: 'udp' | 'tcp' = 'udp'): UpstreamQuestion => ({
  question: questionOf({ name }).subarray(12),
  checkingDisabled: false,
  authenticData: false,
  recursionDesired: true,
  transport,
});

/** What a server of a test answers: an address, from each packet. */
function answer(packet: Uint8Array): Buffer {
  const reading = readDnsQuery(packet);
  assert.ok(reading?.ok);
  return answerOf({ packet, query: reading.query }, { addresses: ['10.0.0.1'] });
}

interface Pki {
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
}
let pki: Pki;
const servers: Server[] = [];
const portOf = (server: { address(): AddressInfo | string | null }): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};
async function listening<T extends Server>(server: T): Promise<T> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

before(async () => {
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const ca = await createCertificateAuthority({
    subject: { commonName: 'test' },
    algorithm: 'ecdsa-p256',
    ...validity,
  });
  const leaf = await issueCertificate(ca, {
    subject: {},
    names: ['dns.test'],
    extendedKeyUsages: ['serverAuth'],
    ...validity,
  });
  pki = { ca: ca.certificatePem, key: leaf.keyPem, cert: leaf.certificatePem };
});
after(() => {
  for (const server of servers) server.close();
});

const dialer = (open: DnsDialer['open'] = ({ host, port }) => connectTcp(port, host)): DnsDialer => ({
  open,
  authorities: () => pki.ca,
});
const exchangeWith = (upstream: DnsUpstreamSetting, given?: DnsDialer): Exchange =>
  createExchange(upstream, {
    clock: systemClock,
    random: (length) => randomFillSync(new Uint8Array(length)),
    ...(given === undefined ? {} : { dialer: given }),
  });
const upstreamAt = (port: number, protocol: DnsUpstreamSetting['protocol']): DnsUpstreamSetting => ({
  address: '127.0.0.1',
  port,
  protocol,
  tlsServerName: 'dns.test',
});
const firstOf = async (exchange: Exchange, asked = question()): Promise<string> => {
  const { message, transport } = await exchange.ask(asked, AbortSignal.timeout(10_000));
  return `${transport} ${decoded(message).answers[0]?.text}`;
};

describe('DNS over TLS', () => {
  const startTlsServer = (maxVersion: 'TLSv1.3' | 'TLSv1.2' = 'TLSv1.3', isSilent = () => false) => {
    let connections = 0;
    const server = createTls({ ...pki, maxVersion, ALPNProtocols: ['dot'] }, (socket) => {
      connections += 1;
      const framer = new StreamFramer((packet) => {
        const reply = answer(packet);
        if (isSilent()) return;
        socket.write(Buffer.concat([Buffer.of(reply.byteLength >>> 8, reply.byteLength), reply]));
        if (decoded(reply).question.name === 'bye.test') socket.end();
      });
      socket.on('data', (chunk: Buffer) => framer.push(chunk));
      socket.on('error', () => {});
    });
    return listening(server).then((started) => ({ port: portOf(started), connections: () => connections }));
  };

  it('asks many questions over one connection', async () => {
    const server = await startTlsServer();
    using exchange = exchangeWith(upstreamAt(server.port, 'DoT'), dialer());
    assert.equal(await firstOf(exchange), 'tls 10.0.0.1');
    const more = await Promise.all(Array.from({ length: 50 }, (_, i) => firstOf(exchange, question(`n${i}.test`))));
    assert.deepEqual(new Set(more), new Set(['tls 10.0.0.1']));
    assert.equal(server.connections(), 1);
  });
  it('connects again when the server closed the connection', async () => {
    const server = await startTlsServer();
    using exchange = exchangeWith(upstreamAt(server.port, 'DoT'), dialer());
    await firstOf(exchange, question('bye.test'));
    assert.equal(await firstOf(exchange), 'tls 10.0.0.1');
    assert.equal(server.connections(), 2);
  });
  const refused: [
    name: string,
    maxVersion: 'TLSv1.3' | 'TLSv1.2',
    serverName: string,
    trusted: boolean,
    want: RegExp,
  ][] = [
    ['a server without TLS 1.3', 'TLSv1.2', 'dns.test', true, /version|alert/i],
    ['a certificate for another name', 'TLSv1.3', 'other.test', true, /does not match/],
    ['a certificate of an unknown authority', 'TLSv1.3', 'dns.test', false, /certificate|signature/],
  ];
  for (const [name, maxVersion, tlsServerName, trusted, want] of refused) {
    it(`refuses ${name}`, async () => {
      const server = await startTlsServer(maxVersion);
      const upstream = { ...upstreamAt(server.port, 'DoT'), tlsServerName };
      using exchange = exchangeWith(upstream, trusted ? dialer() : undefined);
      await assert.rejects(firstOf(exchange), (error) => want.test(upstreamReason(error)));
    });
  }
  it('connects again when nothing comes any more over a connection', async () => {
    let isSilent = true;
    const server = await startTlsServer('TLSv1.3', () => isSilent);
    using exchange = exchangeWith(upstreamAt(server.port, 'DoT'), dialer());
    await assert.rejects(
      exchange.ask(question(), AbortSignal.timeout(200)),
      (error) => upstreamReason(error) === 'timeout',
    );
    isSilent = false;
    assert.equal(await firstOf(exchange), 'tls 10.0.0.1');
    assert.equal(server.connections(), 2);
  });
  it('gives up a server that says nothing', async () => {
    const silent = await listening(createTcp(() => {}));
    using exchange = exchangeWith(upstreamAt(portOf(silent), 'DoT'), dialer());
    const asked = exchange.ask(question(), AbortSignal.timeout(50));
    await assert.rejects(asked, (error) => upstreamReason(error) === 'timeout');
  });
});

describe('DNS over HTTPS', () => {
  interface Answered {
    readonly status?: number;
    readonly body?: Buffer;
  }
  const startHttpsServer = async (version: 1 | 2, change: (body: Buffer) => Answered = () => ({})) => {
    const seen: string[] = [];
    const serve = (
      request: AsyncIterable<unknown> & {
        url?: string | undefined;
        method?: string | undefined;
        headers: NodeJS.Dict<unknown>;
        httpVersion: string;
        socket: { destroy(): unknown };
        stream?: { session?: { goaway(): void } | undefined };
      },
      respond: (status: number, body: Buffer) => void,
    ): void => {
      void Array.fromAsync(request).then((chunks) => {
        const body = Buffer.concat(chunks.map((chunk) => (chunk instanceof Buffer ? chunk : Buffer.alloc(0))));
        seen.push(
          `${request.method} ${request.url} ${request.headers['content-type']} HTTP/${request.httpVersion} id ${body.readUInt16BE(0)}`,
        );
        const { status = 200, body: reply = answer(body) } = change(body);
        // 0: it says nothing at all. 1: it ends the connection.
        if (status === 1) request.stream?.session?.goaway();
        if (status === 1) request.socket.destroy();
        if (status > 1) respond(status, reply);
      });
    };
    const server =
      version === 2
        ? createSecureServer(pki, (request, response) =>
            serve(request, (status, body) =>
              response.writeHead(status, { 'content-type': 'application/dns-message' }).end(body),
            ),
          )
        : createHttps(pki, (request, response) =>
            serve(request, (status, body) =>
              response.writeHead(status, { 'content-type': 'application/dns-message' }).end(body),
            ),
          );
    let [connections, open] = [0, 0];
    server.on('secureConnection', (socket) => {
      connections += 1;
      open += 1;
      socket.on('close', () => {
        open -= 1;
      });
    });
    await listening(server);
    return { port: portOf(server), seen, connections: () => connections, open: () => open };
  };

  it('keeps one HTTP/2 connection for many questions', async () => {
    const server = await startHttpsServer(2);
    using exchange = exchangeWith(upstreamAt(server.port, 'DoH'), dialer());
    assert.equal(await firstOf(exchange), 'https 10.0.0.1');
    await Promise.all(Array.from({ length: 20 }, () => firstOf(exchange)));
    assert.equal(server.connections(), 1);
    assert.equal(server.seen[0], 'POST /dns-query application/dns-message HTTP/2.0 id 0');
  });
  it('connects again when nothing comes any more over a connection', async () => {
    let isSilent = true;
    const server = await startHttpsServer(2, () => (isSilent ? { status: 0 } : {}));
    using exchange = exchangeWith(upstreamAt(server.port, 'DoH'), dialer());
    await assert.rejects(
      exchange.ask(question(), AbortSignal.timeout(300)),
      (error) => upstreamReason(error) === 'timeout',
    );
    isSilent = false;
    assert.equal(await firstOf(exchange), 'https 10.0.0.1');
    assert.equal(server.connections(), 2);
  });
  it('opens one connection for all who ask at the same time, and closes it when the upstream goes', async () => {
    const server = await startHttpsServer(2);
    const exchange = exchangeWith(upstreamAt(server.port, 'DoH'), dialer());
    await Promise.all(Array.from({ length: 20 }, () => firstOf(exchange)));
    assert.equal(server.connections(), 1);
    exchange[Symbol.dispose]();
    await until('it is closed', () => server.open() === 0);
  });
  it('one question that is not answered does not break the others on its connection', async () => {
    const server = await startHttpsServer(2, (body) => (body.includes('lost') ? { status: 0 } : {}));
    using exchange = exchangeWith(upstreamAt(server.port, 'DoH'), dialer());
    const lost = new AbortController();
    const asked = exchange.ask(question('lost.test'), lost.signal);
    assert.equal(await firstOf(exchange), 'https 10.0.0.1');
    lost.abort();
    await assert.rejects(asked, (error) => upstreamReason(error) === 'timeout');
    assert.equal(await firstOf(exchange), 'https 10.0.0.1');
    assert.equal(server.connections(), 1);
  });
  it('asks again when the server ends the connection instead of an answer, but only once', async () => {
    let endings = 0;
    const server = await startHttpsServer(2, () => (endings-- > 0 ? { status: 1 } : {}));
    using exchange = exchangeWith(upstreamAt(server.port, 'DoH'), dialer());
    assert.equal(await firstOf(exchange), 'https 10.0.0.1');
    endings = 1;
    assert.equal(await firstOf(exchange), 'https 10.0.0.1');
    assert.deepEqual([server.seen.length, server.connections()], [3, 2]);
    endings = 9;
    await assert.rejects(firstOf(exchange));
    assert.deepEqual([server.seen.length, server.connections()], [5, 3]);
  });
  it('takes HTTP/1.1 where there is nothing else', async () => {
    const server = await startHttpsServer(1);
    using exchange = exchangeWith(upstreamAt(server.port, 'DoH'), dialer());
    assert.equal(await firstOf(exchange), 'https 10.0.0.1');
    assert.equal(await firstOf(exchange), 'https 10.0.0.1');
    assert.equal(server.seen[0], 'POST /dns-query application/dns-message HTTP/1.1 id 0');
  });
  it('goes through the proxy of the dialer, to the address of the server', async () => {
    const server = await startHttpsServer(2);
    const dialled: unknown[] = [];
    using exchange = exchangeWith(
      { ...upstreamAt(443, 'DoH'), address: '192.0.2.53' },
      dialer((target, spoken) => {
        dialled.push([target, spoken]);
        return connectTcp(server.port, '127.0.0.1');
      }),
    );
    assert.equal(await firstOf(exchange), 'https 10.0.0.1');
    assert.deepEqual(dialled, [
      [
        { host: '192.0.2.53', port: 443 },
        { isTls: false, rules: 'grpc' },
      ],
    ]);
  });
  for (const version of [1, 2] as const) {
    it(`says the status of a refusal and takes no endless answer, HTTP/${version}`, async () => {
      let reply: Answered = { status: 403, body: Buffer.from('no') };
      const server = await startHttpsServer(version, () => reply);
      using exchange = exchangeWith(upstreamAt(server.port, 'DoH'), dialer());
      await assert.rejects(firstOf(exchange), (error) => upstreamReason(error) === 'HTTP status 403');
      reply = { body: Buffer.alloc(70_000) };
      await assert.rejects(firstOf(exchange), (error) => /more than 65535 bytes/.test(upstreamReason(error)));
    });
  }
});
