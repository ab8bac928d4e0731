import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DNS_FLAG, type DnsMessage, type DnsQuestion, readDnsQuery } from '@bloomery/wire';
import fc from 'fast-check';
import { finishReply, type ReplyParts } from './finish-reply.ts';
import { decoded, questionOf } from './testing/dns-client.ts';
import { type AnswerParts, answerOf, textRecord } from './testing/scripted-server.ts';

function reply(
  asked: Partial<DnsQuestion>,
  answer: AnswerParts,
  parts: Partial<ReplyParts> = {},
): DnsMessage & { bytes: number } {
  const packet = questionOf(asked);
  const reading = readDnsQuery(packet);
  assert.ok(reading?.ok);
  const { query } = reading;
  const message = answerOf({ packet, query: { ...query, name: query.name.toLowerCase() } }, answer);
  message.fill(0x61, 12, 13);
  message[12] = packet[12] ?? 0;
  const finished = finishReply({ packet, query, message, rcode: answer.rcode ?? 0, transport: 'udp', ...parts });
  return { ...decoded(finished), bytes: finished.byteLength };
}

describe('a reply for one client', () => {
  it('has the case of its question', () => {
    assert.equal(reply({ name: 'HoSt.TeSt' }, { addresses: ['10.0.0.1'] }).question.name, 'HoSt.TeSt');
  });

  const flags: [name: string, asked: Partial<DnsQuestion>, answered: number, want: [aa: boolean, ad: boolean]][] = [
    ['AA stays', {}, DNS_FLAG.AA, [true, false]],
    ['AD goes where nobody asked', {}, DNS_FLAG.AD, [false, false]],
    ['AD stays for AD', { flags: DNS_FLAG.AD }, DNS_FLAG.AD, [false, true]],
    ['AD stays for DO', { edns: { dnssecOk: true } }, DNS_FLAG.AD, [false, true]],
    ['AD is not made up', { flags: DNS_FLAG.AD }, 0, [false, false]],
  ];
  for (const [name, asked, answered, want] of flags) {
    it(name, () => {
      const { authoritative, authenticData } = reply(asked, { flags: answered });
      assert.deepEqual([authoritative, authenticData], want);
    });
  }

  const records = Array.from({ length: 8 }, () => textRecord('host.test', 200));
  const sizes: [
    name: string,
    asked: Partial<DnsQuestion>,
    parts: Partial<ReplyParts>,
    answers: number,
    limit: number,
  ][] = [
    ['512 bytes without EDNS', {}, {}, 2, 512],
    ['512 bytes, though less is said', { edns: { udpSizeBytes: 100 } }, {}, 2, 512],
    ['what is said, with the OPT record', { edns: { udpSizeBytes: 1232 } }, {}, 5, 1232],
    ['all, when there is room', { edns: { udpSizeBytes: 4096 } }, {}, 8, 4096],
    ['all over TCP', {}, { transport: 'tcp' }, 8, 65_535],
    [
      'less beside options',
      { edns: { udpSizeBytes: 1232 } },
      { options: [{ code: 65_001, data: new Uint8Array(400) }] },
      3,
      1232,
    ],
  ];
  for (const [name, asked, parts, answers, limit] of sizes) {
    it(`takes ${name}`, () => {
      const found = reply({ type: 16, ...asked }, { records }, parts);
      assert.deepEqual([found.answers.length, found.truncated], [answers, answers < 8]);
      assert.ok(found.bytes <= limit, `${found.bytes} bytes`);
      assert.equal(found.edns !== undefined, asked.edns !== undefined);
    });
  }
  it('is cut to what a datagram carries, though the client takes more', () => {
    // 65,526 bytes with the OPT record.
    const many = [...Array.from({ length: 301 }, () => textRecord('a', 203)), textRecord('a', 165)];
    const found = reply({ name: 'a', type: 16, edns: { udpSizeBytes: 65_535 } }, { records: many });
    assert.deepEqual([found.answers.length, found.truncated], [301, true]);
  });
  it('tells codes above 15 in its OPT record', () => {
    assert.equal(reply({ edns: {} }, { rcode: 0 }, { rcode: 16 }).rcode, 16);
    assert.equal(reply({}, { rcode: 0 }, { rcode: 16 }).rcode, 0, 'there is no room without one');
  });
  it('is never longer than the client takes, whatever it is made of', () => {
    const options = fc.uint8Array({ maxLength: 300 }).map((data) => [{ code: 65_001, data }]);
    fc.assert(
      fc.property(fc.nat(5_000), fc.nat(20), fc.option(options, { nil: undefined }), (udpSizeBytes, count, given) => {
        const many = Array.from({ length: count }, (_, i) => textRecord('host.test', i * 10));
        const found = reply(
          { type: 16, edns: { udpSizeBytes } },
          { records: many },
          given === undefined ? {} : { options: given },
        );
        assert.ok(found.bytes <= Math.max(512, udpSizeBytes));
        assert.equal(found.truncated, found.answers.length < count);
      }),
    );
  });
});
