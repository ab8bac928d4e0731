import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DNS_FLAG, DNS_RCODE, DNS_TYPE, dnsRcodeName, dnsTypeName, parseDnsType } from './dns-code.ts';
import { type DnsQuestion, encodeDnsQuery, PLAIN_EDNS, readDnsQuery } from './dns-query.ts';

const query = (question: Partial<DnsQuestion> = {}): Buffer =>
  Buffer.from(encodeDnsQuery({ id: 0x1234, name: 'Host.example', type: DNS_TYPE.A, ...question }) ?? []);
const changed = (change: (packet: Buffer) => void, question: Partial<DnsQuestion> = {}): Buffer => {
  const packet = query(question);
  change(packet);
  return packet;
};

describe('what a server makes of a packet', () => {
  it('reads a plain question', () => {
    assert.deepEqual(readDnsQuery(query()), {
      ok: true,
      query: { id: 0x1234, flags: DNS_FLAG.RD, name: 'Host.example', type: 1, class: 1, questionEnd: 30 },
    });
  });
  it('reads EDNS with its options', () => {
    const edns = { dnssecOk: true, udpSizeBytes: 4096, options: [{ code: 10, data: Uint8Array.of(1, 2) }] };
    const reading = readDnsQuery(query({ edns, flags: DNS_FLAG.CD }));
    assert.ok(reading?.ok);
    assert.deepEqual(reading.query.edns, { ...PLAIN_EDNS, ...edns });
    assert.equal(reading.query.flags, DNS_FLAG.RD | DNS_FLAG.CD);
  });

  const formerr = { ok: false, rcode: DNS_RCODE.FORMERR } as const;
  const cases: [name: string, packet: Uint8Array, want: ReturnType<typeof readDnsQuery>][] = [
    ['fewer bytes than a header are dropped', Buffer.alloc(11), undefined],
    [
      'a response is dropped, or two servers would talk for ever',
      changed((p) => p.writeUInt16BE(0x8100, 2)),
      undefined,
    ],
    [
      'another opcode is not implemented',
      changed((p) => p.writeUInt16BE(0x2800, 2)),
      { ok: false, rcode: DNS_RCODE.NOTIMP },
    ],
    ['no question is malformed', changed((p) => p.writeUInt16BE(0, 4)), formerr],
    ['two questions are malformed', changed((p) => p.writeUInt16BE(2, 4)), formerr],
    ['an answer in a question is malformed', changed((p) => p.writeUInt16BE(1, 6)), formerr],
    ['many additional records are malformed', changed((p) => p.writeUInt16BE(3, 10)), formerr],
    ['a missing additional record is malformed', changed((p) => p.writeUInt16BE(1, 10)), formerr],
    ['a name that runs over the end is malformed', query().subarray(0, 20), formerr],
    ['a question without class is malformed', query().subarray(0, 28), formerr],
    ['a name that points into the header is malformed', pointing(0), formerr],
    ['a name that points before a label is malformed', pointing(11), formerr],
    ['an OPT record with a name is malformed', optWithName(), formerr],
    ['two OPT records are malformed', twoOpts(), formerr],
    [
      'options over the end of their record are malformed',
      changed((p) => p.writeUInt16BE(9, 43), { edns: { options: [{ code: 3, data: Uint8Array.of(1) }] } }),
      formerr,
    ],
  ];
  for (const [name, packet, want] of cases) it(name, () => assert.deepEqual(readDnsQuery(packet), want));

  it('rubbish and damaged questions never crash', () => {
    const good = query({ edns: { options: [{ code: 10, data: new Uint8Array(8) }] } });
    fc.assert(
      fc.property(
        fc.nat(good.byteLength),
        fc.array(fc.tuple(fc.nat(good.byteLength - 1), fc.nat(255))),
        (length, edits) => {
          const packet = Buffer.from(good);
          for (const [at, byte] of edits) packet[at] = byte;
          readDnsQuery(packet.subarray(0, length));
          readDnsQuery(packet);
        },
      ),
      { numRuns: 5_000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (packet) => void readDnsQuery(packet)),
      { numRuns: 2_000 },
    );
  });

  /** A label and a pointer, as names in answers have them. */
  function pointing(to: number): Buffer {
    return Buffer.concat([query().subarray(0, 12), Buffer.of(1, 97, 0xc0, to, 0, 1, 0, 1)]);
  }

  function optWithName(): Buffer {
    const packet = query({ edns: {} });
    const named = Buffer.concat([packet.subarray(0, 30), Buffer.of(1, 97), packet.subarray(30)]);
    return named;
  }

  function twoOpts(): Buffer {
    const packet = query({ edns: {} });
    const twice = Buffer.concat([packet, packet.subarray(30)]);
    twice.writeUInt16BE(2, 10);
    return twice;
  }
});

describe('questions', () => {
  it('come back as they were asked', () => {
    const options = fc
      .array(fc.record({ code: fc.nat(0xffff), data: fc.uint8Array({ maxLength: 40 }) }), {
        maxLength: 4,
      })
      .map((all) => all.map((one) => ({ ...one })));
    const edns = fc.record({ udpSizeBytes: fc.nat(0xffff), dnssecOk: fc.boolean(), options });
    const labels = fc.array(fc.stringMatching(/^[a-zA-Z0-9-]{1,12}$/), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        labels,
        fc.nat(0xffff),
        fc.nat(0xffff),
        fc.option(edns, { nil: undefined }),
        (parts, id, type, opt) => {
          const name = parts.join('.');
          const packet = encodeDnsQuery({ id, name, type, ...(opt === undefined ? {} : { edns: opt }) });
          const reading = readDnsQuery(packet ?? new Uint8Array());
          assert.ok(reading?.ok);
          assert.deepEqual(
            { id: reading.query.id, name: reading.query.name, type: reading.query.type },
            { id, name, type },
          );
          assert.deepEqual(reading.query.edns, opt === undefined ? undefined : { ...PLAIN_EDNS, ...opt });
        },
      ),
    );
  });
  it('a name that is none makes no question', () => {
    assert.equal(encodeDnsQuery({ id: 1, name: 'a..b', type: 1 }), undefined);
  });
});

describe('names of numbers', () => {
  it('types are known by name in any case, or by number', () => {
    assert.equal(parseDnsType('aaaa'), 28);
    assert.equal(parseDnsType('TYPE65'), 65);
    assert.equal(parseDnsType('TYPE99999'), undefined);
    assert.equal(parseDnsType('nothing'), undefined);
    assert.equal(dnsTypeName(65), 'HTTPS');
    assert.equal(dnsTypeName(65_280), 'TYPE65280');
  });
  it('types with names are read as they are written', () => {
    for (const code of Object.values(DNS_TYPE)) assert.equal(parseDnsType(dnsTypeName(code)), code);
  });
  it('codes too', () => {
    assert.equal(dnsRcodeName(3), 'NXDOMAIN');
    assert.equal(dnsRcodeName(23), 'RCODE23');
  });
});
