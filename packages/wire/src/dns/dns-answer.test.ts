import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { dnsAnswerTtl, emptyDnsAnswer, fitDnsAnswer, frameDnsAnswer } from './dns-answer.ts';
import { DNS_FLAG, DNS_TYPE } from './dns-code.ts';
import { encodeDnsEdns } from './dns-edns.ts';
import { decodeDnsAnswer } from './dns-message.ts';
import { encodeDnsQuery, PLAIN_EDNS } from './dns-query.ts';
import { encodeDnsRecord, encodeDnsSoa } from './dns-record.ts';

const question = Buffer.from(encodeDnsQuery({ id: 7, name: 'host.example', type: DNS_TYPE.A }) ?? []);
const address = (last: number, ttlSeconds = 60): Uint8Array =>
  encodeDnsRecord({ name: 'host.example', type: DNS_TYPE.A, ttlSeconds, data: Uint8Array.of(10, 0, 0, last) }) ??
  new Uint8Array();
const soa = (ttlSeconds: number, minimumSeconds: number): Uint8Array =>
  encodeDnsRecord({
    name: 'example',
    type: DNS_TYPE.SOA,
    ttlSeconds,
    data:
      encodeDnsSoa({ primary: 'ns.example', contact: 'admin.example', serial: 1, minimumSeconds }) ?? new Uint8Array(),
  }) ?? new Uint8Array();

interface Sections {
  readonly rcode?: number;
  readonly answers?: readonly Uint8Array[];
  readonly authorities?: readonly Uint8Array[];
  readonly additionals?: readonly Uint8Array[];
}

function answer({ rcode = 0, answers = [], authorities = [], additionals = [] }: Sections): Buffer {
  const head = emptyDnsAnswer(question, { rcode, questionEnd: question.byteLength });
  [answers, authorities, additionals].forEach((section, i) => {
    head.writeUInt16BE(section.length, 6 + 2 * i);
  });
  return Buffer.concat([head, ...answers, ...authorities, ...additionals]);
}
const frameOf = (message: Uint8Array) => frameDnsAnswer(message) ?? assert.fail('no frame');

describe('frames of responses', () => {
  it('leave the OPT record out, and join its part of the code', () => {
    const opt = encodeDnsEdns({ ...PLAIN_EDNS, extendedRcode: 1 });
    const message = answer({ answers: [address(1)], additionals: [address(2), opt] });
    const frame = frameOf(message);
    assert.deepEqual([frame.rcode, frame.answers.length, frame.additionals.length], [16, 1, 1]);
    assert.equal(frame.end, message.byteLength - opt.byteLength);
    assert.equal(frame.edns?.udpSizeBytes, 1232);
  });
  const refused: [name: string, message: Uint8Array][] = [
    ['a question', question],
    ['a header alone', answer({}).subarray(0, 12)],
    ['scraps', Buffer.alloc(5)],
    ['two questions', Buffer.from(answer({})).fill(2, 5, 6)],
    ['more records than there are', Buffer.from(answer({})).fill(1, 7, 8)],
    ['a flood of records', Buffer.from(answer({})).fill(0xff, 6, 8)],
  ];
  for (const [name, message] of refused)
    it(`${name} is refused`, () => assert.equal(frameDnsAnswer(message), undefined));

  it('every truncation and many mutations are refused or read, and never crash', () => {
    const good = answer({
      answers: [address(1), address(2)],
      authorities: [soa(5, 5)],
      additionals: [encodeDnsEdns(PLAIN_EDNS)],
    });
    for (let length = 0; length < good.byteLength; length++)
      assert.equal(frameDnsAnswer(good.subarray(0, length)), undefined);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.byteLength - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(600),
        (edits, limit) => {
          const message = Buffer.from(good);
          for (const [at, byte] of edits) message[at] = byte;
          decodeDnsAnswer(message);
          const frame = frameDnsAnswer(message);
          if (frame === undefined) return;
          dnsAnswerTtl(message, frame);
          const fitted = fitDnsAnswer(message, frame, limit);
          assert.ok(fitted.byteLength <= Math.max(limit, frame.questionEnd));
          assert.ok(frameDnsAnswer(fitted) !== undefined);
        },
      ),
      { numRuns: 10_000 },
    );
  });
});

describe('how long a response may be remembered', () => {
  const cases: [name: string, sections: Sections, want: number | undefined][] = [
    ['the shortest of all records', { answers: [address(1, 60), address(2, 20)], additionals: [address(3, 30)] }, 20],
    ['of absence, the minimum of the SOA record', { rcode: 3, authorities: [soa(300, 30)] }, 30],
    ['of absence, the SOA record itself when it is shorter', { rcode: 3, authorities: [soa(20, 30)] }, 20],
    ['the minimum means nothing beside an answer', { answers: [address(1, 60)], authorities: [soa(300, 5)] }, 60],
    ['the OPT record has no time', { answers: [address(1, 60)], additionals: [encodeDnsEdns(PLAIN_EDNS)] }, 60],
    ['nothing says nothing', {}, undefined],
  ];
  for (const [name, sections, want] of cases)
    it(name, () => assert.equal(dnsAnswerTtl(answer(sections), frameOf(answer(sections))), want));
});

describe('fitting', () => {
  const message = answer({ answers: [address(1), address(2)], authorities: [soa(5, 5)], additionals: [address(3)] });
  const recordBytes = address(1).byteLength;
  const fit = (limit: number): unknown => {
    const fitted = decodeDnsAnswer(fitDnsAnswer(message, frameOf(message), limit));
    return fitted && [fitted.answers.length, fitted.authorities.length, fitted.additionals.length, fitted.truncated];
  };
  const cases: [name: string, limit: number, want: unknown][] = [
    ['what fits stays as it is', message.byteLength, [2, 1, 1, false]],
    ['additional records go first, without a word', message.byteLength - 1, [2, 1, 0, false]],
    ['a missing authority record is told', message.byteLength - recordBytes - 1, [2, 0, 0, true]],
    ['whole records are left out', question.byteLength + 2 * recordBytes - 1, [1, 0, 0, true]],
    ['the question always stays', 12, [0, 0, 0, true]],
  ];
  for (const [name, limit, want] of cases) it(name, () => assert.deepEqual(fit(limit), want));
});

describe('empty responses', () => {
  it('keep id, opcode, RD and CD of the question', () => {
    const asked = Buffer.from(question);
    asked.writeUInt16BE(DNS_FLAG.RD | DNS_FLAG.CD | DNS_FLAG.AD, 2);
    const refused = emptyDnsAnswer(asked, { rcode: 5, questionEnd: asked.byteLength });
    assert.equal(refused.readUInt16BE(2), DNS_FLAG.QR | DNS_FLAG.RA | DNS_FLAG.RD | DNS_FLAG.CD | 5);
    assert.deepEqual(decodeDnsAnswer(refused)?.question, { name: 'host.example', type: 1, class: 1 });
  });
  it('have only a header where the question cannot be read', () => {
    const refused = emptyDnsAnswer(question, { rcode: 1 });
    assert.deepEqual([refused.byteLength, refused.readUInt16BE(4)], [12, 0]);
  });
});

describe('decoding for people', () => {
  it('shows everything', () => {
    const message = answer({ answers: [address(1)], additionals: [encodeDnsEdns(PLAIN_EDNS)] });
    assert.deepEqual(decodeDnsAnswer(message), {
      id: 7,
      rcode: 0,
      authoritative: false,
      truncated: false,
      recursionAvailable: true,
      authenticData: false,
      question: { name: 'host.example', type: 1, class: 1 },
      answers: [{ name: 'host.example', type: 1, class: 1, ttlSeconds: 60, text: '10.0.0.1' }],
      authorities: [],
      additionals: [],
      edns: PLAIN_EDNS,
    });
  });
  it('a record whose name is broken makes it none', () => {
    const message = answer({ answers: [Buffer.concat([Buffer.of(0xc0, 0xff), address(1).subarray(14)])] });
    assert.equal(decodeDnsAnswer(message), undefined);
  });
});
