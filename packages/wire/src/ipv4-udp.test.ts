import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeIpv4Udp, encodeIpv4Udp, type Ipv4Datagram } from './ipv4-udp.ts';

const hello: Ipv4Datagram = {
  source: '0.0.0.0',
  destination: '255.255.255.255',
  sourcePort: 68,
  destinationPort: 67,
  payload: Buffer.from('hello'),
};

const plain = (datagram: Ipv4Datagram | undefined): unknown =>
  datagram && { ...datagram, payload: Buffer.from(datagram.payload).toString('hex') };

describe('UDP in IPv4', () => {
  it('has the bytes that every host expects', () => {
    assert.equal(
      Buffer.from(encodeIpv4Udp(hello)).toString('hex'),
      '450000210000000040117acd00000000ffffffff00440043000db5ee68656c6c6f'.replace('b5ee', udpSum()),
    );
  });
  it('comes back as it was sent', () => {
    const datagrams = fc.record({
      source: fc.ipV4(),
      destination: fc.ipV4(),
      sourcePort: fc.nat(65_535),
      destinationPort: fc.nat(65_535),
      payload: fc.uint8Array({ maxLength: 600 }),
    });
    fc.assert(
      fc.property(datagrams, (datagram) =>
        assert.deepEqual(plain(decodeIpv4Udp(encodeIpv4Udp(datagram))), plain(datagram)),
      ),
    );
  });
  it('ignores the padding of short frames', () => {
    assert.deepEqual(plain(decodeIpv4Udp(Buffer.concat([encodeIpv4Udp(hello), Buffer.alloc(30)]))), plain(hello));
  });
  it('is refused at every truncation', () => {
    const bytes = encodeIpv4Udp(hello);
    for (let length = 0; length < bytes.byteLength; length++) {
      assert.equal(decodeIpv4Udp(bytes.subarray(0, length)), undefined);
    }
  });
  it('is refused as a fragment, as another protocol and with a wrong checksum', () => {
    const changed = (at: number, value: number): Uint8Array => {
      const bytes = encodeIpv4Udp(hello).slice();
      bytes[at] = value;
      return bytes;
    };
    for (const bytes of [changed(6, 0x20), changed(9, 6), changed(10, 0), changed(0, 0x44), changed(0, 0x65)]) {
      assert.equal(decodeIpv4Udp(bytes), undefined);
    }
  });
  it('never breaks the decoder, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void decodeIpv4Udp(bytes)),
      { numRuns: 10_000 },
    );
  });
  it('refuses what is no datagram', () => {
    assert.throws(() => encodeIpv4Udp({ ...hello, source: 'me' }), RangeError);
    assert.throws(() => encodeIpv4Udp({ ...hello, payload: new Uint8Array(65_508) }), RangeError);
  });
});

/** Counted another way: over the words of pseudo header, header and payload. */
function udpSum(): string {
  const words = [0xffff, 0xffff, 17, 13, 68, 67, 13, 0x6865, 0x6c6c, 0x6f00];
  let sum = words.reduce((a, b) => a + b, 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return (0xffff - sum).toString(16).padStart(4, '0');
}
