import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLog, systemClock, until } from '@bloomery/ports';
import { readDnsQuery } from '@bloomery/wire';
import { Resolver } from '../resolver.ts';
import { startDatagrams } from '../start-datagrams.ts';
import { storedAnswer } from '../stored-answer.ts';
import { ask, decoded, questionOf } from '../testing/dns-client.ts';
import { startDnsRig } from '../testing/dns-rig.ts';
import { answerOf, type Script } from '../testing/scripted-server.ts';
import { UpstreamGroups } from '../upstream-groups.ts';

const known: Script = (seen) => answerOf(seen, { addresses: ['10.0.0.1'] });

/** Send many packets from one socket, and collect what comes back. */
async function flood(port: number, packets: readonly Buffer[], wanted: number): Promise<Buffer[]> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  const got: Buffer[] = [];
  socket.on('message', (message) => got.push(message));
  for (const packet of packets) socket.send(packet, port, '127.0.0.1');
  try {
    await until(`${wanted} answers`, () => got.length >= wanted, { deadlineMs: 20_000 });
    return got;
  } finally {
    socket.close();
  }
}

describe('the thread that serves datagrams', () => {
  it('answers each of many questions at once, hits and misses mixed, with its own id', async () => {
    await using rig = await startDnsRig([known], { datagrams: 'native' });
    for (let i = 0; i < 50; i++) await ask(rig.port, { name: `n${i}.test` });
    const packets = Array.from({ length: 150 }, (_, i) => questionOf({ name: `n${i}.test` }));
    const got = await flood(rig.port, packets, 150);
    const want = new Map(packets.map((packet, i) => [packet.readUInt16BE(0), `n${i}.test`]));
    for (const message of got.map(decoded)) assert.equal(want.get(message.id), message.question.name);
    assert.equal(new Set(got.map((message) => message.readUInt16BE(0))).size, 150);
  });
  it('survives every kind of rubbish, and goes on', async () => {
    await using rig = await startDnsRig([known], { datagrams: 'native' });
    const good = questionOf({ edns: { options: [{ code: 10, data: new Uint8Array(8) }] } });
    const rubbish = [
      new Uint8Array(0),
      new Uint8Array(3_000),
      ...Array.from({ length: good.byteLength }, (_, length) => good.subarray(0, length)),
      ...Array.from({ length: 200 }, (_, i) =>
        Buffer.from(good).fill(i, i % good.byteLength, (i % good.byteLength) + 1),
      ),
    ].map((bytes) => Buffer.from(bytes));
    const last = questionOf({ name: 'last.test' });
    const got = await flood(rig.port, [...rubbish, last], 1);
    await until(
      'the last one',
      () => got.some((message) => message.readUInt16BE(0) === last.readUInt16BE(0)) || ask(rig.port).then(() => true),
    );
    assert.equal((await ask(rig.port)).answers[0]?.text, '10.0.0.1');
  });
  it('serves several addresses, and those that are added and taken away meanwhile', async () => {
    await using rig = await startDnsRig([known], { datagrams: 'native' });
    const listen = ['127.0.0.1', '127.0.0.2', '::1'].map((host) => ({ host, port: 0 }));
    await rig.configure({ listen });
    const ports = rig.dns.status.listeners
      .filter(({ transport }) => transport === 'udp')
      .map(({ bound }) => bound?.port ?? 0);
    assert.equal(new Set(ports).size, 3);
    assert.equal((await ask(rig.port)).answers.length, 1);
    await rig.configure({ listen: listen.slice(0, 1) });
    assert.equal((await ask(rig.port)).answers.length, 1);
  });
  it('more addresses than it has room for are told', async () => {
    const listen = Array.from({ length: 16 }, (_, i) => ({ host: `127.0.1.${i + 1}`, port: 0 }));
    await using rig = await startDnsRig([known], { datagrams: 'native', settings: { listen } });
    const problems = rig.dns.status.listeners.filter(({ problem }) => problem !== undefined);
    assert.deepEqual(
      problems.map(({ transport, wanted }) => [transport, wanted.host]),
      [['udp', '127.0.1.16']],
    );
  });
  for (const [how, code, status] of [
    ['process.exit(3)', 'process.exit(3);', 3],
    ['an error that nobody catches', 'throw new Error("nobody catches this");', 1],
  ] as const) {
    it(`does not keep a process that ends by ${how}`, () => {
      const main = `
        import { startDnsRig } from ${JSON.stringify(join(import.meta.dirname, '../testing/dns-rig.ts'))};
        await startDnsRig([], { datagrams: 'native' });
        ${code}`;
      const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', main];
      const ended = spawnSync(process.execPath, args, { cwd: import.meta.dirname, timeout: 20_000, stdio: 'ignore' });
      assert.deepEqual([ended.status, ended.signal], [status, null]);
    });
  }
  it('that breaks is not the end of the server: Node itself takes over', async () => {
    const deps = { clock: systemClock, random: (length: number) => new Uint8Array(length), log: silentLog };
    using groups = new UpstreamGroups({ ...deps, changed() {} });
    const resolver = new Resolver({ ...deps, groups, cacheSeed: 1 });
    const lost = Promise.withResolvers<void>();
    const datagrams = await startDatagrams({}, { resolver, log: silentLog, cacheSeed: 1, lost: lost.resolve });
    const before = datagrams.backend;
    const socket = await before.bind({ host: '127.0.0.1', port: 0 }, 1);
    assert.ok(datagrams.openTcp !== undefined);
    const packet = questionOf();
    const reading = readDnsQuery(packet);
    assert.ok(reading?.ok);
    const stored = storedAnswer(answerOf({ packet, query: reading.query }, { addresses: ['10.0.0.1'] }), 0);
    assert.ok(stored !== undefined);
    before.remember(stored);
    await until('the thread answers', async () => (await ask(socket.address.port)).rcode === 0);
    before.remember(JSON.parse('{}'));
    await lost.promise;
    assert.notEqual(datagrams.backend, before);
    assert.equal(datagrams.openTcp, undefined);
    assert.equal(datagrams.backend.counts.hits, 1, 'counters go on');
    await using again = await datagrams.backend.bind(socket.address, 1);
    assert.equal((await ask(again.address.port)).rcode, 2, 'there are no upstreams here');
    await datagrams.backend[Symbol.asyncDispose]();
  });
});
