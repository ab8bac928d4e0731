import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type DnsEdns, encodeDnsEdns, readDnsEdns } from './dns-edns.ts';
import { PLAIN_EDNS } from './dns-query.ts';
import { encodeDnsRecord, frameDnsRecord } from './dns-record.ts';

const read = (record: Uint8Array): DnsEdns | undefined => {
  const frame = frameDnsRecord(record, 0);
  return frame && readDnsEdns(record, frame);
};
const option = (code: number, bytes: number) => ({ code, data: new Uint8Array(bytes) });
/** An OPT record with these bytes as options. */
const withData = (...data: readonly number[]): Uint8Array =>
  encodeDnsRecord({ name: '', type: 41, ttlSeconds: 0, data: Uint8Array.from(data) }) ?? assert.fail();

describe('OPT records', () => {
  it('come back as they were written', () => {
    const options = fc.array(
      fc.record({ code: fc.nat(0xffff), data: fc.uint8Array({ maxLength: 40 }) }, { noNullPrototype: true }),
      { maxLength: 64 },
    );
    const records = fc.record(
      {
        udpSizeBytes: fc.nat(0xffff),
        extendedRcode: fc.nat(255),
        version: fc.nat(255),
        dnssecOk: fc.boolean(),
        options,
      },
      { noNullPrototype: true },
    );
    fc.assert(fc.property(records, (edns) => assert.deepEqual(read(encodeDnsEdns(edns)), edns)));
  });

  it('keep the options that fit, whatever is among them', () => {
    const options = [option(1, 10), option(2, 65_530), option(3, 65_000), option(4, 600), option(5, 1)];
    const kept = read(encodeDnsEdns({ ...PLAIN_EDNS, options }))?.options.map(({ code }) => code);
    assert.deepEqual(kept, [1, 3, 5]);
  });

  const broken: [name: string, record: Uint8Array][] = [
    ['half an option', withData(0, 3, 0)],
    ['an option that runs over its end', withData(0, 3, 0, 2, 1)],
    ['a second option that does', withData(0, 3, 0, 0, 0, 4, 0, 1)],
    ['more than 64 options', withData(...Array.from({ length: 65 * 4 }, () => 0))],
  ];
  for (const [name, record] of broken) it(`with ${name} are refused`, () => assert.equal(read(record), undefined));

  it('are of one type only', () =>
    assert.equal(
      read(encodeDnsRecord({ name: '', type: 16, ttlSeconds: 0, data: new Uint8Array() }) ?? assert.fail()),
      undefined,
    ));

  it('hold copies: what is read stays when the packet is overwritten', () => {
    const record = Buffer.from(encodeDnsEdns({ ...PLAIN_EDNS, options: [{ code: 3, data: Uint8Array.of(1, 2) }] }));
    const edns = read(record);
    record.fill(0);
    assert.deepEqual(edns?.options, [{ code: 3, data: Uint8Array.of(1, 2) }]);
  });
});
