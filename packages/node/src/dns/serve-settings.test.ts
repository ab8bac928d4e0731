import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFakeClock, type Logger, silentLog, until } from '@bloomery/ports';
import type { DnsMessage } from '@bloomery/wire';
import { ask, askRaw, decoded, openStream, questionOf } from './testing/dns-client.ts';
import { startDnsRig, tcpPortOf } from './testing/dns-rig.ts';
import { answerOf, bindBoth, type Script } from './testing/scripted-server.ts';

const from =
  (address: string): Script =>
  (seen) =>
    answerOf(seen, { addresses: [address] });
const first = ({ answers }: DnsMessage): string | undefined => answers[0]?.text;

/** Whether it takes more within a moment. */
const drains = (socket: Socket): Promise<boolean> =>
  Promise.race([once(socket, 'drain').then(() => true), sleep(500).then(() => false)]);

describe('split DNS', () => {
  it('the longest domain decides who is asked, whatever the case', async () => {
    await using rig = await startDnsRig([from('10.0.0.1'), from('10.0.0.2'), from('10.0.0.3')]);
    const [all, corp, lab] = rig.dns.status.upstreams.map(({ upstream }) => upstream);
    assert.ok(all !== undefined && corp !== undefined && lab !== undefined);
    await rig.configure({
      upstreams: [all],
      domains: new Map([
        ['corp', [corp]],
        ['lab.corp', [lab]],
      ]),
    });
    const whoKnows = async (name: string): Promise<string | undefined> => first(await ask(rig.port, { name }));
    assert.equal(await whoKnows('a.test'), '10.0.0.1');
    assert.equal(await whoKnows('corp'), '10.0.0.2');
    assert.equal(await whoKnows('A.CORP'), '10.0.0.2');
    assert.equal(await whoKnows('x.lab.corp'), '10.0.0.3');
    assert.equal(await whoKnows('xlab.corp'), '10.0.0.2');
    assert.equal(await whoKnows('notcorp'), '10.0.0.1');
  });
});

describe('listeners', () => {
  it('answer over TCP while others hold connections and say nothing', async () => {
    await using rig = await startDnsRig([from('10.0.0.1')]);
    const silent = Array.from({ length: 300 }, () => connect(tcpPortOf(rig), '127.0.0.1').on('error', () => {}));
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    using stream = openStream(tcpPortOf(rig));
    stream.send(questionOf());
    await until('an answer', () => stream.messages.length === 1);
    for (const socket of silent) socket.destroy();
  });

  it('ask for no more questions over TCP while the answers are not taken', async () => {
    await using rig = await startDnsRig([from('10.0.0.1')]);
    await ask(rig.port);
    const socket = connect(tcpPortOf(rig), '127.0.0.1').on('error', () => {});
    socket.pause();
    const question = questionOf();
    const framed = Buffer.concat([Buffer.of(question.byteLength >>> 8, question.byteLength), question]);
    const many = Buffer.concat(Array.from({ length: 20_000 }, () => framed));
    let sent = 0;
    while (sent < 200 && socket.write(many)) sent += 1;
    for (; sent < 200; sent += 1)
      if (!(await drains(socket))) break;
      else socket.write(many);
    assert.ok(sent < 200, 'all was read');
    socket.destroy();
  });

  it('that stay as they are wanted are not disturbed', async () => {
    await using rig = await startDnsRig([from('10.0.0.1')]);
    using stream = openStream(tcpPortOf(rig));
    stream.send(questionOf());
    await until('an answer', () => stream.messages.length === 1);
    const before = rig.dns.status.listeners;
    await rig.configure({
      hopLimit: 2,
      listen: [
        { host: '127.0.0.1', port: 0 },
        { host: '::1', port: 0 },
      ],
    });
    assert.deepEqual(rig.dns.status.listeners.slice(0, 2), before);
    assert.equal(rig.dns.status.listeners.length, 4);
    stream.send(questionOf());
    await until('another answer on the same connection', () => stream.messages.length === 2);
    await rig.configure({});
    assert.deepEqual(rig.dns.status.listeners, before);
  });

  for (const datagrams of ['portable', 'native'] as const) {
    it(`a taken port is named with its owner and taken up as soon as it is free, ${datagrams}`, async () => {
      const [udp, tcp] = [createSocket('udp4'), createServer()];
      const port = await bindBoth(udp, tcp);
      const warned: unknown[] = [];
      const log: Logger = { ...silentLog, warn: (event, fields) => warned.push([event, fields]), with: () => log };
      const clock = createFakeClock();
      await using rig = await startDnsRig([from('10.0.0.1')], {
        clock,
        datagrams,
        log,
        settings: { listen: [{ host: '127.0.0.1', port }] },
      });
      const me = `by \\S.* \\(pid ${process.pid}\\)`;
      for (const { transport, problem, bound } of rig.dns.status.listeners) {
        assert.match(problem ?? '', new RegExp(`^${transport} 127\\.0\\.0\\.1:${port} is taken ${me}$`));
        assert.equal(bound, undefined);
      }
      assert.equal(warned.length, 2, 'each is said once');
      await clock.advance(10_000);
      await until('it was tried again', () => rig.dns.status.listeners.every(({ problem }) => problem !== undefined));
      assert.equal(warned.length, 2, 'and not again');
      let told = 0;
      rig.dns.listen(() => told++);
      await new Promise<void>((resolve) => udp.close(resolve));
      await new Promise<void>((resolve) => tcp.close(() => resolve()));
      await until('it is bound', async () => {
        await clock.advance(30_000);
        return rig.dns.status.listeners.every(({ bound }) => bound?.port === port);
      });
      assert.ok(told >= 2, 'each is told');
      assert.equal(first(await ask(port)), '10.0.0.1');
    });
  }
  it('an address that the host does not have is told', async () => {
    await using rig = await startDnsRig([], { settings: { listen: [{ host: '203.0.113.53', port: 53 }] } });
    assert.deepEqual(
      rig.dns.status.listeners.map(({ problem }) => problem),
      ['udp', 'tcp'].map((transport) => `${transport} 203.0.113.53:53: this host does not have the address`),
    );
  });
});

describe('an upstream that is the server itself', () => {
  it('is not asked, and that is said once as long as it stays so', async () => {
    const warned: unknown[] = [];
    const log: Logger = { ...silentLog, warn: (event) => warned.push(event), with: () => log };
    // An address that no other process uses, so that the port can be a fixed one.
    const host = `127.${(process.pid >>> 8) & 255}.${process.pid & 255}.9`;
    const listen = [{ host, port: 5300 }];
    const itself = { address: host, port: 5300, protocol: 'Do53' } as const;
    const settings = { listen, upstreams: [itself], domains: new Map([['corp', [itself]]]) };
    await using rig = await startDnsRig([], { log, settings });
    await rig.configure(settings);
    assert.deepEqual(warned, ['dns.own-address-as-upstream']);
    assert.deepEqual(rig.dns.status.upstreams, []);
    for (const name of ['a.test', 'b.corp'])
      assert.equal(decoded(await askRaw(5300, questionOf({ name }), host)).rcode, 2);
    warned.length = 0;
    await rig.configure({ upstreams: [], domains: new Map() });
    await rig.configure(settings);
    assert.deepEqual(warned, ['dns.own-address-as-upstream'], 'said again after it was mended');
  });
});

describe('when no upstream answers', () => {
  it('what was known before is given once more, for a short time, and it says so', async () => {
    const clock = createFakeClock();
    await using rig = await startDnsRig([from('10.0.0.1')], { clock });
    await ask(rig.port, { edns: {} });
    const [upstream] = rig.upstreams;
    assert.ok(upstream !== undefined);
    upstream.script = (seen) => answerOf(seen, { rcode: 2 });
    await clock.advance(61_000);
    const stale = await ask(rig.port, { edns: {} });
    assert.deepEqual([first(stale), stale.answers[0]?.ttlSeconds], ['10.0.0.1', 5]);
    assert.deepEqual(
      stale.edns?.options.map(({ code, data }) => [code, ...data]),
      [[15, 0, 3]],
    );
    assert.equal(rig.dns.status.cache.stale, 1);
    await clock.advance(300_000);
    const none = await ask(rig.port, { edns: {} });
    assert.equal(none.rcode, 2);
    assert.match(Buffer.from(none.edns?.options[0]?.data ?? []).toString('latin1'), /127\.0\.0\.1:\d+: SERVFAIL$/);
  });
  it('and a fresh answer takes its place as soon as there is one', async () => {
    const clock = createFakeClock();
    await using rig = await startDnsRig([from('10.0.0.1')], { clock });
    await ask(rig.port);
    await clock.advance(61_000);
    const [upstream] = rig.upstreams;
    if (upstream !== undefined) upstream.script = from('10.0.0.2');
    assert.equal(first(await ask(rig.port)), '10.0.0.2');
  });
  it('without upstreams the answer is SERVFAIL at once', async () => {
    await using rig = await startDnsRig([]);
    assert.equal((await ask(rig.port)).rcode, 2);
    assert.equal(rig.dns.status.cache.failures, 1);
  });
  it('an answer to another question is a format error, and is not remembered', async () => {
    const other: Script = () => answerOf({ packet: questionOf({ name: 'evil.test' }), query: evil });
    await using rig = await startDnsRig([(seen) => withIdOf(seen.packet, other(seen))]);
    assert.equal((await ask(rig.port)).rcode, 1);
    assert.equal(rig.dns.status.cache.positive, 0);
  });
  it('answers with another id are not seen', async () => {
    await using rig = await startDnsRig([
      async (seen) => {
        const answer = answerOf(seen, { addresses: ['10.0.0.1'] });
        answer.writeUInt16BE(answer.readUInt16BE(0) ^ 1, 0);
        return answer;
      },
      from('10.0.0.2'),
    ]);
    assert.equal(first(await ask(rig.port)), '10.0.0.2');
  });
});

const evil = { id: 1, flags: 0x100, name: 'evil.test', type: 1, class: 1, questionEnd: 27 };

async function withIdOf(packet: Uint8Array, answer: ReturnType<Script>): Promise<Uint8Array | undefined> {
  const message = await answer;
  message?.set(packet.subarray(0, 2));
  return message;
}
