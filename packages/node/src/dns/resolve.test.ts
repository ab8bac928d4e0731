import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { describe, it } from 'node:test';
import { createFakeClock, until } from '@bloomery/ports';
import { DNS_TRACE_OPTION, type DnsMessage, type DnsTrace, decodeDnsTrace, encodeDnsTrace } from '@bloomery/wire';
import { ask, askRaw, decoded, openStream, questionOf } from './testing/dns-client.ts';
import { startDnsRig, tcpPortOf } from './testing/dns-rig.ts';
import { answerOf, type Script, textRecord } from './testing/scripted-server.ts';

const known: Script = (seen) => answerOf(seen, { addresses: ['10.0.0.1'] });
const texts = ({ answers }: DnsMessage): readonly string[] => answers.map(({ text }) => text);
const traceOf = ({ edns }: DnsMessage): DnsTrace =>
  decodeDnsTrace(edns?.options.find(({ code }) => code === DNS_TRACE_OPTION)?.data ?? new Uint8Array()) ??
  assert.fail('no trace');
const traced = { edns: { options: [{ code: DNS_TRACE_OPTION, data: new Uint8Array() }] } };

for (const datagrams of ['portable', 'native'] as const) {
  describe(`the name server of the host, ${datagrams}`, () => {
    it('asks once, then answers from its cache, with AA', async () => {
      await using rig = await startDnsRig([known], { datagrams });
      const first = await ask(rig.port, { name: 'Host.test' });
      const second = await ask(rig.port, { name: 'hOST.test', edns: {} });
      assert.deepEqual([texts(first), first.authoritative, first.question.name], [['10.0.0.1'], false, 'Host.test']);
      assert.deepEqual([texts(second), second.authoritative, second.question.name], [['10.0.0.1'], true, 'hOST.test']);
      assert.equal(rig.upstreams[0]?.seen.length, 1);
      const { hits, misses, positive } = rig.dns.status.cache;
      assert.deepEqual({ hits, misses, positive }, { hits: 1, misses: 1, positive: 1 });
    });

    it('twenty equal questions at once are one for the upstream', async () => {
      const release = Promise.withResolvers<void>();
      await using rig = await startDnsRig(
        [
          async (seen) => {
            await release.promise;
            return answerOf(seen, { addresses: ['10.0.0.1'] });
          },
        ],
        { datagrams },
      );
      const answers = Array.from({ length: 20 }, () => ask(rig.port, { edns: {} }));
      await until('all of them wait', () => rig.dns.status.cache.coalesced === 19);
      release.resolve();
      for (const answer of await Promise.all(answers)) assert.deepEqual(texts(answer), ['10.0.0.1']);
      assert.equal(rig.upstreams[0]?.seen.length, 1);
    });

    it('static hosts and members are known without asking; changes of theirs count at once', async () => {
      await using rig = await startDnsRig([known], {
        datagrams,
        settings: {
          staticHosts: new Map([['reg.corp', ['10.9.8.7', 'fd00::7']]]),
          members: new Map([['node-1', ['10.0.0.5']]]),
        },
      });
      const host = await ask(rig.port, { name: 'REG.corp' });
      assert.deepEqual([texts(host), host.authoritative, host.answers[0]?.ttlSeconds], [['10.9.8.7'], true, 10]);
      assert.deepEqual(texts(await ask(rig.port, { name: 'reg.corp', type: 28 })), ['fd00::7']);
      assert.deepEqual(texts(await ask(rig.port, { name: 'node-1' })), ['10.0.0.5']);
      assert.equal(rig.upstreams[0]?.seen.length, 0);
      assert.deepEqual(texts(await ask(rig.port, { name: 'new.test' })), ['10.0.0.1']);
      await rig.configure({ staticHosts: new Map([['new.test', ['10.1.1.1']]]) });
      await until('the new name', async () => texts(await ask(rig.port, { name: 'new.test' }))[0] === '10.1.1.1');
    });

    it('a name that becomes one of its own while an upstream is asked for it is not answered by that for long', async () => {
      const release = Promise.withResolvers<void>();
      const late: Script = async (seen) => {
        if (seen.query.name === 'new.test') await release.promise;
        return known(seen);
      };
      await using rig = await startDnsRig([late], { datagrams, clock: createFakeClock() });
      const asked = ask(rig.port, { name: 'new.test' });
      await until('the upstream is asked', () => rig.upstreams[0]?.seen.length === 1);
      await rig.configure({ staticHosts: new Map([['new.test', ['10.1.1.1']]]) });
      release.resolve();
      assert.deepEqual(texts(await asked), ['10.0.0.1']);
      assert.deepEqual(texts(await ask(rig.port, { name: 'new.test' })), ['10.1.1.1']);
      const reverse = await ask(rig.port, { name: '1.1.1.10.in-addr.arpa', type: 12 });
      assert.deepEqual(texts(reverse), ['new.test.']);
    });

    it('whose an address is, is known at once when it changes', async () => {
      await using rig = await startDnsRig([known], { datagrams });
      const asked = { name: '1.1.1.10.in-addr.arpa', type: 12 };
      await ask(rig.port, asked);
      assert.equal(rig.dns.status.cache.positive, 1);
      await rig.configure({ members: new Map([['node-7', ['10.1.1.1']]]) });
      await until('the new name', async () => texts(await ask(rig.port, asked))[0] === 'node-7.');
    });

    it('the cache is emptied when the upstreams change, and only then', async () => {
      await using rig = await startDnsRig([known, (seen) => answerOf(seen, { addresses: ['10.0.0.2'] })], {
        datagrams,
      });
      const [first, second] = rig.dns.status.upstreams.map(({ upstream }) => upstream);
      assert.ok(first !== undefined && second !== undefined);
      await ask(rig.port);
      await rig.configure({ members: new Map([['m', ['10.0.0.9']]]) });
      assert.equal(rig.dns.status.cache.positive, 1);
      await rig.configure({ upstreams: [second, first] });
      assert.equal(rig.dns.status.cache.positive, 0);
      await until('the second one is asked', async () => texts(await ask(rig.port))[0] === '10.0.0.2');
    });

    it('a long answer is cut for those who take less, and whole over TCP', async () => {
      const records = Array.from({ length: 10 }, () => textRecord('host.test', 200));
      await using rig = await startDnsRig(
        [(seen) => answerOf(seen, seen.transport === 'udp' ? { flags: 0x200 } : { records })],
        {
          datagrams,
        },
      );
      for (let round = 0; round < 2; round++) {
        const plain = await askRaw(rig.port, questionOf({ type: 16 }));
        assert.ok(plain.byteLength <= 512);
        assert.deepEqual([decoded(plain).truncated, decoded(plain).answers.length], [true, 2]);
        const large = await ask(rig.port, { type: 16, edns: { udpSizeBytes: 4096 } });
        assert.deepEqual([large.truncated, large.answers.length], [false, 10]);
      }
      assert.deepEqual(
        rig.upstreams[0]?.seen.map(({ transport }) => transport),
        ['udp', 'tcp'],
      );
    });

    it('says how a question was answered to those on this host', async () => {
      await using rig = await startDnsRig([known], {
        datagrams,
        settings: { staticHosts: new Map([['s', ['10.0.0.3']]]) },
      });
      const first = traceOf(await ask(rig.port, traced));
      const upstream = `127.0.0.1:${rig.upstreams[0]?.port}`;
      assert.deepEqual([first.answeredBy, first.upstream], ['upstream', upstream]);
      assert.deepEqual(
        first.tries.map(({ result, transport }) => [result, transport]),
        [['NOERROR', 'udp']],
      );
      const second = traceOf(await ask(rig.port, traced));
      assert.deepEqual([second.answeredBy, second.tries, second.ageSeconds !== undefined], ['cache', [], true]);
      assert.equal(traceOf(await ask(rig.port, { name: 's', ...traced })).answeredBy, 'static');
      assert.ok(encodeDnsTrace(first).byteLength < 500);
    });

    it('drops responses, and refuses what is no question', async () => {
      await using rig = await startDnsRig([known], { datagrams });
      const rcodeOf = async (change: (packet: Buffer) => void): Promise<number> => {
        const packet = questionOf();
        change(packet);
        return (await askRaw(rig.port, packet)).readUInt16BE(2) & 15;
      };
      assert.equal(await rcodeOf((packet) => packet.writeUInt16BE(0x2900, 2)), 4, 'an update is not implemented');
      assert.equal(await rcodeOf((packet) => packet.writeUInt16BE(2, 4)), 1, 'two questions are malformed');
      assert.equal((await ask(rig.port, { edns: { version: 1 } })).rcode, 16, 'EDNS 1 is unknown');
      const response = questionOf();
      response.writeUInt16BE(0x8100, 2);
      const silent = askRaw(rig.port, response).then(
        () => 'answered',
        () => 'nothing',
      );
      await ask(rig.port);
      assert.equal(await Promise.race([silent, ask(rig.port).then(() => 'nothing yet')]), 'nothing yet');
    });

    it('drops questions when two thousand wait, counts them, and goes on', async () => {
      const release = Promise.withResolvers<void>();
      const late: Script = async (seen) => {
        await release.promise;
        return known(seen);
      };
      await using rig = await startDnsRig([late], { datagrams, clock: createFakeClock() });
      const socket = createSocket('udp4');
      await until('some are dropped', async () => {
        for (let i = 0; i < 100; i++) socket.send(questionOf(), rig.port, '127.0.0.1', () => {});
        return rig.dns.status.cache.dropped > 0;
      });
      await until('the upstream is asked once', () => rig.upstreams[0]?.seen.length === 1);
      release.resolve();
      await until('another question is taken up', () => {
        socket.send(questionOf({ name: 'other.test' }), rig.port, '127.0.0.1', () => {});
        return rig.upstreams[0]?.seen.length === 2;
      });
      socket.close();
    });

    it('serves IPv6', async () => {
      await using rig = await startDnsRig([known], { datagrams, settings: { listen: [{ host: '::1', port: 0 }] } });
      assert.deepEqual(texts(decoded(await askRaw(rig.port, questionOf(), '::1'))), ['10.0.0.1']);
    });

    it('starts and stops a hundred times and leaves nothing open', { timeout: 120_000 }, async () => {
      const rounds = datagrams === 'native' ? 20 : 100;
      const before = process.getActiveResourcesInfo().length;
      const { readdirSync } = await import('node:fs');
      const fdsBefore = readdirSync('/proc/self/fd').length;
      for (let i = 0; i < rounds; i++) {
        await using rig = await startDnsRig([known], { datagrams });
        assert.deepEqual(texts(await ask(rig.port)), ['10.0.0.1']);
      }
      await until('all is closed', () => process.getActiveResourcesInfo().length <= before + 2);
      await until('no descriptor is left', () => readdirSync('/proc/self/fd').length <= fdsBefore + 4);
    });
  });
}

describe('over TCP', () => {
  it('questions may follow each other, and answers come as they are known', async () => {
    const release = Promise.withResolvers<void>();
    await using rig = await startDnsRig([
      async (seen) => {
        if (seen.query.name === 'slow.test') await release.promise;
        return answerOf(seen, { addresses: ['10.0.0.1'] });
      },
    ]);
    using stream = openStream(tcpPortOf(rig));
    const [slow, fast] = [questionOf({ name: 'slow.test' }), questionOf({ name: 'fast.test' })];
    stream.send(slow, fast);
    await until('the fast one', () => stream.messages.length === 1);
    release.resolve();
    await until('the slow one', () => stream.messages.length === 2);
    assert.deepEqual(
      stream.messages.map((message) => message.readUInt16BE(0)),
      [fast.readUInt16BE(0), slow.readUInt16BE(0)],
    );
    assert.deepEqual(
      rig.upstreams[0]?.seen.map(({ transport }) => transport),
      ['tcp', 'tcp'],
    );
  });
  it('bytes may come one by one', async () => {
    await using rig = await startDnsRig([known]);
    using stream = openStream(tcpPortOf(rig));
    const packet = questionOf();
    stream.socket.setNoDelay(true);
    for (const byte of Buffer.concat([Buffer.of(0, packet.byteLength), packet])) stream.socket.write(Buffer.of(byte));
    await until('the answer', () => stream.messages.length === 1);
  });
  it('a thousand questions at once are all answered, though only some are taken up', async () => {
    await using rig = await startDnsRig([known]);
    using stream = openStream(tcpPortOf(rig));
    stream.send(...Array.from({ length: 1_000 }, (_, i) => questionOf({ name: `n${i}.test` })));
    await until('all answers', () => stream.messages.length === 1_000);
  });
});
