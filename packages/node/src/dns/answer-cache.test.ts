import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DnsQuestion, encodeDnsRecord, readDnsQuery } from '@bloomery/wire';
import fc from 'fast-check';
import { AnswerCache, answerCacheBytes, MISS } from './answer-cache.ts';
import { forgetName } from './forget-name.ts';
import { storedAnswer } from './stored-answer.ts';
import { decoded, questionOf } from './testing/dns-client.ts';
import { type AnswerParts, answerOf, textRecord } from './testing/scripted-server.ts';

const [IN_AT, OUT_AT, CACHE_AT] = [0, 65_536, 131_072];

/** A cache of a few entries with its memory. */
function makeCache(entries = 8) {
  const memory = new Uint8Array(CACHE_AT + answerCacheBytes(entries));
  const cache = new AnswerCache({ memory, at: CACHE_AT, seed: 42, datagramMaxBytes: 60_000, entries });
  const put = (packet: Uint8Array): number => {
    memory.set(packet, IN_AT);
    return packet.byteLength;
  };
  const taken = (length: number): Buffer | undefined =>
    length === MISS ? undefined : Buffer.from(memory.subarray(OUT_AT, OUT_AT + length));
  return {
    cache,
    learn(question: Partial<DnsQuestion>, parts: AnswerParts, nowMs = 0, keyFlags = 0): boolean {
      const packet = questionOf(question);
      const reading = readDnsQuery(packet);
      assert.ok(reading?.ok);
      const stored = storedAnswer(answerOf({ packet, query: reading.query }, parts), keyFlags);
      if (stored !== undefined) cache.store(stored, nowMs);
      return stored !== undefined;
    },
    reply: (packet: Uint8Array, nowMs = 0) => taken(cache.reply(IN_AT, put(packet), OUT_AT, nowMs)),
    replyStream: (packet: Uint8Array, nowMs = 0) => taken(cache.replyStream(IN_AT, put(packet), OUT_AT, nowMs)),
  };
}

const soaRecord = (): Uint8Array =>
  encodeDnsRecord({ name: 'test', type: 6, ttlSeconds: 60, data: new Uint8Array(22) }) ?? new Uint8Array();

describe('replies from the cache', () => {
  it('have the id and the case of the question, AA, and what was learnt', () => {
    const { learn, reply } = makeCache();
    learn({ name: 'host.TEST' }, { addresses: ['10.0.0.1', '10.0.0.2'] });
    const asked = questionOf({ name: 'HoSt.test' });
    const message = decoded(reply(asked) ?? assert.fail('a miss'));
    assert.equal(message.id, asked.readUInt16BE(0));
    assert.deepEqual(message.question, { name: 'HoSt.test', type: 1, class: 1 });
    assert.equal(message.authoritative, true);
    assert.deepEqual(
      message.answers.map(({ text, ttlSeconds }) => [text, ttlSeconds]),
      [
        ['10.0.0.1', 60],
        ['10.0.0.2', 60],
      ],
    );
    assert.equal(message.edns, undefined);
  });

  const lives: [name: string, parts: AnswerParts, aliveMs: number, ttl: number, deadMs: number][] = [
    ['60 s are 60 s', { addresses: ['10.0.0.1'] }, 59_999, 1, 60_000],
    ['1 s becomes 5 s', { addresses: ['10.0.0.1'], ttlSeconds: 1 }, 0, 5, 5_000],
    ['a day becomes an hour', { addresses: ['10.0.0.1'], ttlSeconds: 86_400 }, 1_000, 3_599, 3_600_000],
    ['absence lives 10 s at most', { rcode: 3, soaSeconds: 300 }, 9_000, 1, 10_000],
    ['and 5 s at least', { rcode: 3, soaSeconds: 0 }, 4_999, 1, 5_000],
    ['absence for a hundred years is none', { rcode: 3, soaSeconds: 0xffffffff }, 4_999, 1, 5_000],
    ['a hundred years are none', { addresses: ['10.0.0.1'], ttlSeconds: 0xffffffff }, 0, 5, 5_000],
    ['the longest time is an hour', { addresses: ['10.0.0.1'], ttlSeconds: 0x7fffffff }, 0, 3_600, 3_600_000],
    ['no record of the type is absence, too', { soaSeconds: 7 }, 6_500, 1, 7_000],
  ];
  for (const [name, parts, aliveMs, ttl, deadMs] of lives) {
    it(`time to live: ${name}`, () => {
      const { learn, reply } = makeCache();
      learn({}, parts);
      const message = decoded(reply(questionOf(), aliveMs) ?? assert.fail('a miss'));
      for (const { ttlSeconds } of [...message.answers, ...message.authorities]) assert.equal(ttlSeconds, ttl);
      assert.equal(reply(questionOf(), deadMs), undefined);
      assert.equal(reply(questionOf(), -1), undefined, 'a clock that is set back');
    });
  }

  it('time to live: what is left of an answer that lived before', () => {
    const memory = new Uint8Array(CACHE_AT + answerCacheBytes(8));
    const cache = new AnswerCache({ memory, at: CACHE_AT, seed: 1, datagramMaxBytes: 4096, entries: 8 });
    const packet = questionOf();
    const reading = readDnsQuery(packet);
    assert.ok(reading?.ok);
    const stored = storedAnswer(answerOf({ packet, query: reading.query }, { addresses: ['10.0.0.1'] }), 0);
    assert.ok(stored !== undefined);
    cache.store({ ...stored, lifeMs: 2_900 }, 0);
    memory.set(packet, IN_AT);
    const length = cache.reply(IN_AT, packet.byteLength, OUT_AT, 0);
    assert.equal(decoded(memory.slice(OUT_AT, OUT_AT + length)).answers[0]?.ttlSeconds, 3);
  });

  const forgotten: [name: string, question: Partial<DnsQuestion>, parts: AnswerParts][] = [
    ['truncated answers', {}, { addresses: ['10.0.0.1'], flags: 0x0200 }],
    ['refusals', {}, { rcode: 5 }],
    ['server failures', {}, { rcode: 2, soaSeconds: 5 }],
    ['absence without SOA', {}, { rcode: 3 }],
    ['absence with an SOA among the answers alone', {}, { rcode: 3, records: [soaRecord()] }],
    ['emptiness without SOA', {}, {}],
    ['zone transfers', { type: 252 }, { addresses: ['10.0.0.1'] }],
  ];
  for (const [name, question, parts] of forgotten)
    it(`${name} are not remembered`, () => assert.equal(makeCache().learn(question, parts), false));

  it('DO and CD make another question', () => {
    const { learn, reply } = makeCache();
    learn({}, { addresses: ['10.0.0.1'] });
    learn({}, { addresses: ['10.0.0.2'] }, 0, 1);
    learn({}, { addresses: ['10.0.0.3'] }, 0, 2);
    const textOf = (packet: Buffer): string | undefined => {
      const found = reply(packet);
      return found && decoded(found).answers[0]?.text;
    };
    assert.equal(textOf(questionOf()), '10.0.0.1');
    assert.equal(textOf(questionOf({ edns: {} })), '10.0.0.1');
    assert.equal(textOf(questionOf({ edns: { dnssecOk: true } })), '10.0.0.2');
    assert.equal(textOf(questionOf({ flags: 0x10 })), '10.0.0.3');
    assert.equal(textOf(questionOf({ flags: 0x10, edns: { dnssecOk: true } })), undefined);
  });

  it('types whose numbers differ as letters do are not mixed up', () => {
    const { learn, reply } = makeCache();
    learn({ type: 65 }, { addresses: ['10.0.0.1'] });
    assert.ok(reply(questionOf({ type: 65 })) !== undefined);
    assert.equal(reply(questionOf({ type: 97 })), undefined);
  });

  it('AD is told only to those who ask for it', () => {
    const { learn, reply } = makeCache();
    learn({}, { addresses: ['10.0.0.1'], flags: 0x20 });
    learn({}, { addresses: ['10.0.0.1'], flags: 0x20 }, 0, 1);
    const isAd = (question: Partial<DnsQuestion>): boolean =>
      decoded(reply(questionOf(question)) ?? assert.fail()).authenticData;
    assert.equal(isAd({}), false);
    assert.equal(isAd({ flags: 0x20 }), true);
    assert.equal(isAd({ edns: { dnssecOk: true } }), true);
  });

  it('an OPT record is only sent to those who sent one', () => {
    const { learn, reply } = makeCache();
    learn({}, { addresses: ['10.0.0.1'] });
    const cookie = { code: 10, data: new Uint8Array(8) };
    const message = decoded(reply(questionOf({ edns: { options: [cookie] } })) ?? assert.fail('a miss'));
    assert.deepEqual(message.edns, { udpSizeBytes: 1232, extendedRcode: 0, version: 0, dnssecOk: false, options: [] });
  });

  it('what is too long for the client is left to others; over TCP nothing is', () => {
    const { learn, reply, replyStream } = makeCache();
    const records = Array.from({ length: 5 }, () => textRecord('host.test', 200));
    learn({ type: 16 }, { records });
    assert.equal(reply(questionOf({ type: 16 })), undefined);
    assert.equal(reply(questionOf({ type: 16, edns: { udpSizeBytes: 900 } })), undefined);
    assert.equal(decoded(reply(questionOf({ type: 16, edns: {} })) ?? assert.fail()).answers.length, 5);
    assert.equal(decoded(replyStream(questionOf({ type: 16 })) ?? assert.fail()).answers.length, 5);
  });

  const odd: [name: string, packet: Buffer][] = [
    ['responses', changed((p) => p.writeUInt16BE(0x8100, 2))],
    ['other opcodes', changed((p) => p.writeUInt16BE(0x2000, 2))],
    ['two questions', changed((p) => p.writeUInt16BE(2, 4))],
    ['records in the answer section', changed((p) => p.writeUInt16BE(1, 6))],
    ['bytes after the question', Buffer.concat([questionOf(), Buffer.of(0)])],
    ['another version of EDNS', questionOf({ edns: { version: 1 } })],
    ['a request for a trace', questionOf({ edns: { options: [{ code: 65_001, data: new Uint8Array() }] } })],
    ['cut packets', questionOf().subarray(0, 20)],
    ['compressed names', changed((p) => p.writeUInt8(0xc0, 12))],
  ];
  for (const [name, packet] of odd) {
    it(`${name} are left to others`, () => {
      const { learn, reply } = makeCache();
      learn({}, { addresses: ['10.0.0.1'] });
      assert.equal(reply(packet), undefined);
    });
  }
});

function changed(change: (packet: Buffer) => void): Buffer {
  const packet = questionOf();
  change(packet);
  return packet;
}

describe('the room of the cache', () => {
  it('is never exceeded: what nobody asks for goes first', () => {
    const { cache, learn, reply } = makeCache(8);
    for (let i = 0; i < 100; i++) {
      learn({ name: `n${i}.test` }, { addresses: ['10.0.0.1'] });
      if (i > 0) assert.ok(reply(questionOf({ name: `n${i}.test` })) !== undefined, 'the newest is there');
    }
    assert.equal(cache.positiveSize, 8);
    assert.equal(reply(questionOf({ name: 'n1.test' })), undefined);
  });
  it('absence has room of its own', () => {
    const { cache, learn, reply } = makeCache(4);
    learn({}, { addresses: ['10.0.0.1'] });
    for (let i = 0; i < 20; i++) learn({ name: `n${i}.test` }, { rcode: 3, soaSeconds: 5 });
    assert.deepEqual([cache.positiveSize, cache.negativeSize], [1, 4]);
    assert.ok(reply(questionOf()) !== undefined);
  });
  it('a name that appears is not absent any more, and the other way round', () => {
    const { cache, learn, reply } = makeCache();
    learn({}, { rcode: 3, soaSeconds: 5 });
    learn({}, { addresses: ['10.0.0.1'] });
    assert.equal(decoded(reply(questionOf()) ?? assert.fail()).answers.length, 1);
    learn({}, { rcode: 3, soaSeconds: 5 });
    assert.equal(decoded(reply(questionOf()) ?? assert.fail()).rcode, 3);
    assert.deepEqual([cache.positiveSize, cache.negativeSize], [0, 1]);
  });
  it('long answers have a limit of their own', () => {
    const { cache, learn, replyStream } = makeCache(400);
    const records = Array.from({ length: 200 }, () => textRecord('big.test', 250));
    for (let i = 0; i < 300; i++) learn({ name: `n${i}.test`, type: 16 }, { records });
    assert.ok(cache.positiveSize < 200, `${cache.positiveSize} of 50 KB each are more than 8 MiB`);
    assert.equal(
      decoded(replyStream(questionOf({ name: 'n299.test', type: 16 })) ?? assert.fail()).answers.length,
      200,
    );
  });
  it('a name is forgotten with all its flags, and nothing else', () => {
    const { cache, learn, reply } = makeCache();
    learn({}, { addresses: ['10.0.0.1'] });
    learn({}, { addresses: ['10.0.0.1'] }, 0, 1);
    learn({ name: 'other.test' }, { addresses: ['10.0.0.2'] });
    forgetName(cache, Buffer.from('\x04host\x04test\0', 'latin1'));
    assert.equal(reply(questionOf()), undefined);
    assert.equal(reply(questionOf({ edns: { dnssecOk: true } })), undefined);
    assert.ok(reply(questionOf({ name: 'other.test' })) !== undefined);
  });
  it('is as good as a map, whatever is stored, forgotten and asked for', () => {
    const step = fc.tuple(fc.constantFrom('learn', 'deny', 'forget', 'ask'), fc.nat(11), fc.nat(255), fc.nat(400));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { cache, learn, reply } = makeCache(16);
        const model = new Map<string, string>();
        for (const [what, number, last, extra] of steps) {
          const name = `n${number}.test`;
          const records = extra > 255 ? Array.from({ length: 3 }, () => textRecord(name, 255)) : [];
          if (what === 'learn') {
            learn({ name }, { addresses: [`10.0.0.${last}`], records });
            model.set(name, `10.0.0.${last}`);
          } else if (what === 'deny') {
            learn({ name }, { rcode: 3, soaSeconds: 9 });
            model.set(name, 'absent');
          } else if (what === 'forget') {
            forgetName(
              cache,
              Buffer.concat([
                Buffer.of(name.length - 5),
                Buffer.from(name.slice(0, -5)),
                Buffer.from('\x04test\0', 'latin1'),
              ]),
            );
            model.delete(name);
          } else {
            const found = reply(questionOf({ name, edns: {} }));
            const told = found && (decoded(found).rcode === 3 ? 'absent' : decoded(found).answers[0]?.text);
            assert.equal(told, model.get(name));
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('hostile questions', () => {
  it('never crash it, and never get an answer to another question', () => {
    const { learn, reply } = makeCache();
    learn({}, { addresses: ['10.0.0.1'] });
    const good = questionOf({ edns: { options: [{ code: 10, data: new Uint8Array(8) }] } });
    const edit = fc.tuple(fc.nat(good.byteLength - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 6 }), fc.nat(good.byteLength), (edits, length) => {
        const packet = Buffer.from(good);
        for (const [at, byte] of edits) packet[at] = byte;
        for (const one of [packet, packet.subarray(0, length)]) {
          const found = reply(one);
          if (found !== undefined)
            assert.equal(
              found.subarray(12, 27).toString('latin1').toLowerCase(),
              good.subarray(12, 27).toString('latin1'),
            );
        }
      }),
      { numRuns: 10_000 },
    );
  });
});
