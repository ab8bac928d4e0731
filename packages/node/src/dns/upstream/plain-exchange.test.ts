import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { type AddressInfo, connect as connectTcp, createServer as createTcp, type Server } from 'node:net';
import { after, describe, it } from 'node:test';
import { systemClock, until } from '@bloomery/ports';
import { readDnsQuery } from '@bloomery/wire';
import { StreamFramer } from '../stream-framer.ts';
import { decoded, questionOf } from '../testing/dns-client.ts';
import { answerOf, startScriptedServer } from '../testing/scripted-server.ts';
import type { Exchange } from './exchange.ts';
import { StreamExchange } from './stream-exchange.ts';
import { upstreamReason } from './upstream-error.ts';
import { createExchange } from './upstream-exchange.ts';
import type { UpstreamQuestion } from './upstream-question.ts';

const random = (length: number) => randomFillSync(new Uint8Array(length));
const question = (name = 'host.test', transport: 'udp' | 'tcp' = 'udp'): UpstreamQuestion => ({
  question: questionOf({ name }).subarray(12),
  checkingDisabled: false,
  authenticData: false,
  recursionDesired: true,
  transport,
});
const exchangeAt = (port: number): Exchange =>
  createExchange({ address: '127.0.0.1', port, protocol: 'Do53' }, { clock: systemClock, random });
const firstOf = async (exchange: Exchange, asked = question()): Promise<string> => {
  const { message, transport } = await exchange.ask(asked, AbortSignal.timeout(20_000));
  return `${transport} ${decoded(message).answers[0]?.text}`;
};

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
after(() => {
  for (const server of servers) server.close();
});

/** A server over TCP that answers so many questions on each connection, and closes it then. */
async function startServer(answersEach = Number.POSITIVE_INFINITY) {
  let connections = 0;
  const server = createTcp((socket) => {
    connections += 1;
    let left = answersEach;
    if (left === 0) socket.destroy();
    const framer = new StreamFramer((packet) => {
      const reading = readDnsQuery(packet);
      assert.ok(reading?.ok);
      if (left-- <= 0) return;
      const reply = answerOf({ packet, query: reading.query }, { addresses: ['10.0.0.1'] });
      socket.write(Buffer.concat([Buffer.of(reply.byteLength >>> 8, reply.byteLength), reply]));
      if (left === 0) socket.end();
    });
    socket.on('data', (chunk: Buffer) => framer.push(chunk));
    socket.on('error', () => {});
  });
  const port = portOf(await listening(server));
  return { port, connections: () => connections };
}

describe('plain DNS', () => {
  it('keeps a connection over TCP, and asks over TCP what is cut over UDP', async () => {
    await using server = await startScriptedServer((seen) =>
      answerOf(
        seen,
        seen.query.name === 'long.test' && seen.transport === 'udp' ? { flags: 0x200 } : { addresses: ['10.0.0.1'] },
      ),
    );
    using exchange = exchangeAt(server.port);
    assert.equal(await firstOf(exchange), 'udp 10.0.0.1');
    assert.equal(await firstOf(exchange, question('a.test', 'tcp')), 'tcp 10.0.0.1');
    assert.equal(await firstOf(exchange, question('long.test')), 'tcp 10.0.0.1');
    assert.deepEqual(
      server.seen.map(({ transport }) => transport),
      ['udp', 'tcp', 'udp', 'tcp'],
    );
  });
  const crowds: [name: string, answersEach: number, questions: number, connectionsMax: number][] = [
    ['hundreds of questions at once go over a few connections', Number.POSITIVE_INFINITY, 600, 3],
    ['a server that closes connections after a hundred answers is asked the rest on others', 100, 600, 12],
    ['a server that answers one question on each connection is asked so', 1, 40, 42],
  ];
  for (const [name, answersEach, questions, connectionsMax] of crowds) {
    it(name, async () => {
      const server = await startServer(answersEach);
      using exchange = exchangeAt(server.port);
      const asked = Array.from({ length: questions }, (_, i) => firstOf(exchange, question(`n${i}.test`, 'tcp')));
      assert.deepEqual(new Set(await Promise.all(asked)), new Set(['tcp 10.0.0.1']));
      assert.ok(server.connections() <= connectionsMax, `${server.connections()} connections`);
    });
  }
  it('a server that closes every connection at once is asked over one, for all who ask at the same time', async () => {
    const server = await startServer(0);
    using exchange = exchangeAt(server.port);
    const asked = Array.from({ length: 40 }, (_, i) => firstOf(exchange, question(`n${i}.test`, 'tcp')));
    for (const { status } of await Promise.allSettled(asked)) assert.equal(status, 'rejected');
    assert.equal(server.connections(), 1);
  });
  it('who gives up while a connection is being opened does not wait for it, and does not keep it from others', async () => {
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    await using server = await startScriptedServer((seen) => answerOf(seen, { addresses: ['10.0.0.1'] }));
    using exchange = new StreamExchange({
      name: 'it',
      clock: systemClock,
      random,
      open: async () => {
        await opened;
        return connectTcp(server.port, '127.0.0.1');
      },
    });
    const given = new AbortController();
    const first = exchange.ask(question(), given.signal);
    const second = exchange.ask(question(), AbortSignal.timeout(20_000));
    given.abort();
    await assert.rejects(first, (error) => upstreamReason(error) === 'timeout');
    open();
    assert.equal(decoded(await second).answers[0]?.text, '10.0.0.1');
  });
  it('says when nobody is there', async () => {
    const server = await startScriptedServer(() => undefined);
    const { port } = server;
    await server[Symbol.asyncDispose]();
    using exchange = exchangeAt(port);
    for (const transport of ['udp', 'tcp'] as const)
      await assert.rejects(
        firstOf(exchange, question('a.test', transport)),
        (error) => upstreamReason(error) === 'connection refused',
      );
  });
  it('a broken connection fails what was asked on it', async () => {
    const sockets: { destroy(): void }[] = [];
    const server = await listening(createTcp((socket) => sockets.push(socket)));
    using exchange = exchangeAt(portOf(server));
    const asked = firstOf(exchange, question('a.test', 'tcp'));
    await until('the connection', () => sockets.length === 1);
    sockets[0]?.destroy();
    await assert.rejects(asked, (error) => /connection/.test(upstreamReason(error)));
  });
});
