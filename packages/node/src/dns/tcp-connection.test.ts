import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { createFakeClock, until } from '@bloomery/ports';
import fc from 'fast-check';
import { serveTcpConnection, type TcpConnectionDeps } from './tcp-connection.ts';
import { ask, decoded, openStream, questionOf } from './testing/dns-client.ts';
import { startDnsRig, tcpPortOf } from './testing/dns-rig.ts';
import { answerOf, type Script, textRecord } from './testing/scripted-server.ts';

const known: Script = (seen) => answerOf(seen, { addresses: ['10.0.0.1'] });
const framed = (packet: Uint8Array): Buffer =>
  Buffer.concat([Buffer.of(packet.byteLength >>> 8, packet.byteLength), packet]);

describe('a connection over TCP', () => {
  const closing: [name: string, sent: Uint8Array, afterMs: number][] = [
    ['without a question ends after ten seconds', new Uint8Array(), 10_000],
    ['with half a question ends after three seconds', Buffer.of(0, 30, 1), 3_000],
  ];
  for (const [name, sent, afterMs] of closing) {
    it(name, async () => {
      const clock = createFakeClock();
      await using rig = await startDnsRig([known], { clock });
      using stream = openStream(tcpPortOf(rig));
      stream.send(questionOf());
      await until('the answer', () => stream.messages.length === 1);
      stream.socket.write(sent);
      // A question on another connection is answered after these bytes came.
      using other = openStream(tcpPortOf(rig));
      other.send(questionOf());
      await until('the other answer', () => other.messages.length === 1);
      await clock.advance(afterMs - 100);
      assert.equal(stream.socket.destroyed, false);
      await clock.advance(200);
      await stream.closed;
    });
  }

  it('ends after three seconds though bytes of half a question go on coming', async () => {
    const clock = createFakeClock();
    await using rig = await startDnsRig([known], { clock });
    using stream = openStream(tcpPortOf(rig));
    stream.socket.setNoDelay(true);
    let [closedMs, sent] = [0, 0];
    void stream.closed.then(() => {
      closedMs = clock.nowMs();
    });
    const bytes = framed(questionOf({ name: Array.from({ length: 4 }, () => 'a'.repeat(60)).join('.') }));
    await until('it is closed', async () => {
      if (sent < bytes.byteLength - 1) stream.socket.write(bytes.subarray(sent, ++sent));
      await clock.advance(1_000);
      return closedMs > 0;
    });
    assert.ok(closedMs < 100_000, `closed after ${closedMs} ms`);
  });

  it('whose client has ended its side gets the answers that are still under way, and is closed then', async () => {
    const release = Promise.withResolvers<void>();
    const late: Script = async (seen) => {
      await release.promise;
      return known(seen);
    };
    await using rig = await startDnsRig([late], { clock: createFakeClock() });
    using stream = openStream(tcpPortOf(rig));
    const ended = once(stream.socket, 'end');
    stream.socket.end(framed(questionOf()));
    await until('the question came', () => rig.upstreams[0]?.seen.length === 1);
    release.resolve();
    await ended;
    assert.equal(decoded(stream.messages[0] ?? assert.fail('no answer')).answers[0]?.text, '10.0.0.1');
    await stream.closed;
  });

  it('that says nothing and ends is closed', async () => {
    await using rig = await startDnsRig([known], { clock: createFakeClock() });
    using stream = openStream(tcpPortOf(rig));
    stream.socket.end();
    await once(stream.socket, 'end');
    await stream.closed;
  });

  it('with rubbish harms nobody else', async () => {
    await using rig = await startDnsRig([known], { clock: createFakeClock() });
    using good = openStream(tcpPortOf(rig));
    const streams = [
      Buffer.alloc(70_000),
      Buffer.alloc(70_000, 0xff),
      ...fc.sample(fc.uint8Array({ maxLength: 500 }), { numRuns: 30, seed: 7 }),
      ...fc.sample(fc.uint8Array({ maxLength: 80 }), { numRuns: 30, seed: 7 }).map(framed),
      ...Array.from(questionOf({ edns: {} }), (_, at) => framed(questionOf({ edns: {} }).fill(0xc0, at, at + 1))),
    ].map((sent) => {
      const stream = openStream(tcpPortOf(rig));
      stream.socket.end(sent);
      return stream;
    });
    await Promise.all(streams.map(({ closed }) => closed));
    good.send(questionOf());
    await until('an answer', () => good.messages.length === 1);
  });

  it('gets no more answers made than it takes, however many questions came at once', async () => {
    const records = Array.from({ length: 240 }, () => textRecord('host.test', 250));
    await using rig = await startDnsRig([(seen) => answerOf(seen, { records })], { clock: createFakeClock() });
    using stream = openStream(tcpPortOf(rig));
    const question = { type: 16 };
    stream.send(questionOf(question));
    await until('it is in the cache', () => stream.messages.length === 1);
    const before = rig.dns.status.cache.hits;
    stream.socket.pause();
    stream.send(...Array.from({ length: 1_500 }, () => questionOf(question)));
    // Others are served meanwhile; what they are told comes after what the connection was given.
    for (let i = 0; i < 20; i++) await ask(rig.port, { name: `n${i}.test` });
    const made = rig.dns.status.cache.hits - before;
    assert.ok(made < 750, `${made} answers of 60 kB were made for who takes none`);
    stream.socket.resume();
    await until('all answers', () => stream.messages.length === 1_501);
  });
});

describe('a connection that does not take its answers', () => {
  const cases: [name: string, maxBytes: number, isClosed: boolean][] = [
    ['is closed when too much waits for all', 1_000, true],
    ['is not while there is room', 1_000_000, false],
  ];
  for (const [name, maxBytes, isClosed] of cases) {
    it(name, async () => {
      let answered = 0;
      const resolver: TcpConnectionDeps['resolver'] = {
        replyFromCache: () => undefined,
        resolve: async () => {
          answered += 1;
          return { packet: new Uint8Array(2_000) };
        },
      };
      const backlog = { bytes: 0, maxBytes };
      // What is written to it stays where it is.
      const stream = Object.assign(new Duplex({ highWaterMark: 1_000, read() {}, write() {} }), {
        remoteAddress: '::1',
      });
      stream.on('error', () => {});
      serveTcpConnection(stream, { resolver, clock: createFakeClock(), backlog });
      stream.push(Buffer.concat([questionOf(), questionOf(), questionOf()].map(framed)));
      await until('all are answered', () => answered === 3);
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual([stream.destroyed, backlog.bytes], [isClosed, isClosed ? 0 : 6_006]);
      stream.destroy();
      await until('nothing waits any more', () => backlog.bytes === 0);
    });
  }
});

describe('too many who wait for the same answer', () => {
  it('are told that it failed, and the others get it', async () => {
    const release = Promise.withResolvers<void>();
    const late: Script = async (seen) => {
      await release.promise;
      return known(seen);
    };
    await using rig = await startDnsRig([late], { clock: createFakeClock() });
    const streams = Array.from({ length: 40 }, () => openStream(tcpPortOf(rig)));
    for (const stream of streams) stream.send(...Array.from({ length: 128 }, () => questionOf()));
    const told = (): number => streams.reduce((sum, { messages }) => sum + messages.length, 0);
    await until('those above 4,000 are refused', () => told() === 40 * 128 - 4_000);
    release.resolve();
    await until('all are told', () => told() === 40 * 128);
    const codes = streams.flatMap(({ messages }) => messages.map((message) => decoded(message).rcode));
    assert.equal(codes.filter((rcode) => rcode === 0).length, 4_000);
    for (const stream of streams) stream[Symbol.dispose]();
  });
});
