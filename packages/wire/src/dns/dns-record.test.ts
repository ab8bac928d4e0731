import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DNS_TYPE } from './dns-code.ts';
import { encodeDnsName } from './dns-name.ts';
import {
  dnsSoaMinimum,
  encodeDnsAddressRecord,
  encodeDnsPointerRecord,
  encodeDnsRecord,
  encodeDnsSoa,
  frameDnsRecord,
  readDnsRecord,
} from './dns-record.ts';

const record = (type: number, data: Uint8Array, ttlSeconds = 60): Uint8Array =>
  encodeDnsRecord({ name: 'host.example', type, ttlSeconds, data }) ?? assert.fail('the record cannot be encoded');
const textOf = (type: number, data: Uint8Array): string | undefined => {
  const message = record(type, data);
  const frame = frameDnsRecord(message, 0);
  return frame && readDnsRecord(message, frame)?.text;
};
const name = (text: string): Uint8Array => encodeDnsName(text) ?? assert.fail(text);

describe('the data of records is shown as zone files write it', () => {
  const soa = encodeDnsSoa({ primary: 'ns.ex', contact: 'admin.ex', serial: 7, minimumSeconds: 30 });
  const cases: [type: string, number: number, data: Uint8Array, want: string][] = [
    ['A', DNS_TYPE.A, Uint8Array.of(192, 0, 2, 1), '192.0.2.1'],
    ['AAAA', DNS_TYPE.AAAA, Buffer.from('20010db8000000000000000000000001', 'hex'), '2001:db8::1'],
    ['CNAME', DNS_TYPE.CNAME, name('other.example'), 'other.example.'],
    ['PTR', DNS_TYPE.PTR, name('other.example'), 'other.example.'],
    ['MX', DNS_TYPE.MX, Buffer.concat([Buffer.of(0, 10), name('mail.ex')]), '10 mail.ex.'],
    ['SRV', DNS_TYPE.SRV, Buffer.concat([Buffer.of(0, 1, 0, 2, 0, 53), name('srv.ex')]), '1 2 53 srv.ex.'],
    ['TXT', DNS_TYPE.TXT, Buffer.from('\x02a"\x01\x07'), '"a\\"" "\\007"'],
    ['SOA', DNS_TYPE.SOA, soa ?? new Uint8Array(), 'ns.ex. admin.ex. 7 3600 600 86400 30'],
    ['a type without a name here', 65_280, Uint8Array.of(1, 2, 255), '\\# 3 0102ff'],
    ['no data', 65_280, new Uint8Array(), '\\# 0'],
    ['an A record of three bytes', DNS_TYPE.A, Uint8Array.of(1, 2, 3), '\\# 3 010203'],
    ['a name with rubbish after it', DNS_TYPE.CNAME, Buffer.concat([name('a'), Buffer.of(1)]), '\\# 4 01610001'],
    ['MX without a name', DNS_TYPE.MX, Uint8Array.of(0, 10), '\\# 2 000a'],
    ['SRV that is cut in its numbers', DNS_TYPE.SRV, Uint8Array.of(0, 1, 0, 2, 0), '\\# 5 0001000200'],
    ['SOA without its numbers', DNS_TYPE.SOA, Uint8Array.of(0, 0, 1), '\\# 3 000001'],
    ['SOA with one name', DNS_TYPE.SOA, Uint8Array.of(0), '\\# 1 00'],
    ['an AAAA record of four bytes', DNS_TYPE.AAAA, Uint8Array.of(1, 2, 3, 4), '\\# 4 01020304'],
    ['TXT that runs over its end', DNS_TYPE.TXT, Uint8Array.of(9, 65), '\\# 2 0941'],
  ];
  for (const [type, number, data, want] of cases) it(type, () => assert.equal(textOf(number, data), want));
});

describe('frames of records', () => {
  it('say where everything is, whatever the type', () => {
    const message = Buffer.concat([Buffer.alloc(5), record(DNS_TYPE.A, Uint8Array.of(1, 2, 3, 4), 300)]);
    assert.deepEqual(frameDnsRecord(message, 5), {
      type: 1,
      class: 1,
      start: 5,
      ttlAt: 5 + 14 + 4,
      ttlSeconds: 300,
      dataAt: 5 + 14 + 10,
      end: message.byteLength,
    });
  });
  it('a time to live with its highest bit set counts as none (RFC 2181)', () => {
    const message = record(DNS_TYPE.A, Uint8Array.of(1, 2, 3, 4), 0x80000001);
    assert.equal(frameDnsRecord(message, 0)?.ttlSeconds, 0);
  });
  it('every truncation is refused', () => {
    const message = record(DNS_TYPE.A, Uint8Array.of(1, 2, 3, 4));
    for (let length = 0; length < message.byteLength; length++)
      assert.equal(frameDnsRecord(message.subarray(0, length), 0), undefined);
  });
  it('rubbish never crashes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(110), (message, at) => {
        const frame = frameDnsRecord(message, at);
        if (frame === undefined) return;
        assert.ok(frame.end <= message.byteLength && frame.dataAt <= frame.end);
        readDnsRecord(message, frame);
        dnsSoaMinimum(message, frame);
      }),
      { numRuns: 2_000 },
    );
  });
  it('the minimum is only of SOA records', () => {
    const soa = encodeDnsSoa({ primary: 'a', contact: 'b', serial: 1, minimumSeconds: 77 }) ?? new Uint8Array();
    const of = (type: number, data: Uint8Array): number | undefined => {
      const message = record(type, data);
      const frame = frameDnsRecord(message, 0);
      return frame && dnsSoaMinimum(message, frame);
    };
    assert.equal(of(DNS_TYPE.SOA, soa), 77);
    assert.equal(of(DNS_TYPE.TXT, soa), undefined);
    assert.equal(of(DNS_TYPE.SOA, new Uint8Array(5)), undefined);
  });
});

describe('address records of ours', () => {
  it('point at the question and hold either family', () => {
    const v4 = encodeDnsAddressRecord({ nameAt: 12, address: '10.0.0.1', ttlSeconds: 10 });
    assert.equal(Buffer.from(v4 ?? []).toString('hex'), 'c00c000100010000000a00040a000001');
    const v6 = encodeDnsAddressRecord({ nameAt: 12, address: 'fd00::1', ttlSeconds: 10 });
    assert.equal(Buffer.from(v6 ?? []).toString('hex'), `c00c001c00010000000a0010fd${'00'.repeat(14)}01`);
  });
  it('tell whose an address is', () => {
    const pointer = encodeDnsPointerRecord({ nameAt: 12, target: 'a.b', ttlSeconds: 10 });
    assert.equal(Buffer.from(pointer ?? []).toString('hex'), 'c00c000c00010000000a00050161016200');
    assert.equal(encodeDnsPointerRecord({ nameAt: 12, target: 'a..b', ttlSeconds: 10 }), undefined);
  });
  it('other text makes none', () => {
    assert.equal(encodeDnsAddressRecord({ nameAt: 12, address: 'host', ttlSeconds: 10 }), undefined);
  });
  it('names that are none make no records', () => {
    assert.equal(encodeDnsRecord({ name: 'a..b', type: 1, ttlSeconds: 1, data: new Uint8Array() }), undefined);
    assert.equal(encodeDnsSoa({ primary: 'a..b', contact: 'c', serial: 1, minimumSeconds: 1 }), undefined);
  });
});
