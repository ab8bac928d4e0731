import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readDnsQuery } from '@bloomery/wire';
import fc from 'fast-check';
import { questionOf } from '../testing/dns-client.ts';
import { answersQuestion, encodeUpstreamQuestion, PROBE, type UpstreamQuestion } from './upstream-question.ts';

const question: UpstreamQuestion = {
  question: questionOf({ name: 'Host.test', type: 28 }).subarray(12),
  checkingDisabled: false,
  authenticData: false,
  recursionDesired: true,
  transport: 'udp',
};

describe('what an upstream is asked', () => {
  const flags: [name: string, changes: Partial<UpstreamQuestion>, flags: number][] = [
    ['for recursion', {}, 0x0100],
    ['without recursion, as the client', { recursionDesired: false }, 0],
    ['not to check', { checkingDisabled: true }, 0x0110],
    ['whether it has checked', { authenticData: true }, 0x0120],
  ];
  for (const [name, changes, want] of flags)
    it(name, () => {
      const packet = encodeUpstreamQuestion({ ...question, ...changes }, 0xabcd);
      assert.deepEqual([packet.readUInt16BE(0), packet.readUInt16BE(2)], [0xabcd, want]);
    });

  it('is the question in the case of the client, with EDNS of our own where the client has it', () => {
    const plain = readDnsQuery(encodeUpstreamQuestion(question, 1));
    assert.ok(plain?.ok);
    assert.deepEqual([plain.query.name, plain.query.type, plain.query.edns], ['Host.test', 28, undefined]);
    const reading = readDnsQuery(encodeUpstreamQuestion({ ...question, edns: { dnssecOk: true } }, 1));
    assert.ok(reading?.ok);
    const { dnssecOk, udpSizeBytes, options } = reading.query.edns ?? assert.fail('no EDNS');
    assert.deepEqual([dnssecOk, udpSizeBytes, options], [true, 1232, []]);
  });

  it('is the root for a probe, without recursion', () => {
    const reading = readDnsQuery(encodeUpstreamQuestion(PROBE, 1));
    assert.ok(reading?.ok);
    assert.deepEqual([reading.query.name, reading.query.type, reading.query.flags], ['', 2, 0]);
  });
});

describe('an answer', () => {
  const asked = questionOf({ name: 'Host.test', type: 65 });
  const others: [name: string, packet: Buffer, want: boolean][] = [
    ['is one to the same question', asked, true],
    ['may write its name in another case', questionOf({ name: 'hOST.TEST', type: 65 }), true],
    ['is not one to another name', questionOf({ name: 'Hosts.test', type: 65 }), false],
    ['is not one to another name of the same length', questionOf({ name: 'host.tesu', type: 65 }), false],
    [
      'is not one to a type whose number is the letter in the other case',
      questionOf({ name: 'Host.test', type: 97 }),
      false,
    ],
    ['is not one to another class', questionOf({ name: 'Host.test', type: 65, class: 3 }), false],
    ['is not one that is cut', asked.subarray(0, asked.byteLength - 1), false],
    ['is not one with two questions', Buffer.from(asked).fill(2, 5, 6), false],
    ['is not one without a question', Buffer.from(asked).fill(0, 5, 6), false],
  ];
  for (const [name, packet, want] of others)
    it(name, () => assert.equal(answersQuestion(packet, asked.subarray(12)), want));

  it('is never found in rubbish', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (rubbish) =>
        assert.equal(answersQuestion(rubbish, asked.subarray(12)), false),
      ),
      { numRuns: 500 },
    );
  });
});
