import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type DnsTrace, decodeDnsTrace, encodeDnsTrace } from './dns-trace.ts';

const trace: DnsTrace = {
  answeredBy: 'upstream',
  upstream: '1.1.1.1:53',
  tookMs: 510,
  tries: [
    { upstream: '10.0.0.1:53', protocol: 'Do53', transport: 'udp', startedMs: 0, tookMs: 510, result: 'overtaken' },
    { upstream: '1.1.1.1:53', protocol: 'Do53', transport: 'udp', startedMs: 500, tookMs: 10, result: 'NOERROR' },
  ],
};

describe('the trace of an answer', () => {
  it('comes back as it was sent', () => assert.deepEqual(decodeDnsTrace(encodeDnsTrace(trace)), trace));
  it('tells no more than sixteen tries, so that it fits into a datagram', () => {
    const [first] = trace.tries;
    const long = { ...trace, tries: Array.from({ length: 100 }, () => first ?? assert.fail()) };
    const data = encodeDnsTrace(long);
    assert.equal(decodeDnsTrace(data)?.tries.length, 16);
    assert.ok(data.byteLength < 4_000);
  });
  const refused = [
    '',
    '{',
    '[]',
    'null',
    '{"answeredBy":"magic","tookMs":1,"tries":[]}',
    '{"answeredBy":"cache","tookMs":1,"tries":[1]}',
  ];
  for (const text of refused)
    it(`${text || 'nothing'} is no trace`, () => assert.equal(decodeDnsTrace(Buffer.from(text)), undefined));
  it('rubbish never crashes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (data) => assert.equal(decodeDnsTrace(data), undefined)));
  });
});
