import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { DHCP_MESSAGE, DHCP_OPTION } from './dhcp-option.ts';
import { type DhcpPacket, decodeDhcp, encodeDhcp } from './dhcp-packet.ts';
import {
  dhcpAddresses,
  dhcpText,
  readDhcpAddresses,
  readDhcpNumber,
  readDhcpRoutes,
  readDhcpText,
  readDhcpUint16s,
  readDhcpUserClasses,
} from './dhcp-value.ts';

const discover: DhcpPacket = {
  op: 1,
  htype: 1,
  hops: 0,
  xid: 0xdeadbeef,
  secs: 4,
  flags: 0x8000,
  ciaddr: '0.0.0.0',
  yiaddr: '0.0.0.0',
  siaddr: '0.0.0.0',
  giaddr: '10.0.0.1',
  chaddr: Uint8Array.of(0x52, 0x54, 0, 0x77, 0, 1),
  sname: 'boot',
  file: 'snp.efi',
  options: new Map([
    [DHCP_OPTION.MESSAGE_TYPE, Uint8Array.of(DHCP_MESSAGE.DISCOVER)],
    [DHCP_OPTION.CLIENT_ARCH, Uint8Array.of(0, 7)],
    [DHCP_OPTION.VENDOR_CLASS, dhcpText('PXEClient:Arch:00007:UNDI:003016')],
  ]),
};

const plain = (packet: DhcpPacket): unknown => ({
  ...packet,
  chaddr: Buffer.from(packet.chaddr).toString('hex'),
  options: [...packet.options].map(([code, value]) => [code, Buffer.from(value).toString('hex')]),
});

const isWireError = (error: unknown): boolean =>
  isBloomeryError(error, 'BLM_WIRE_TRUNCATED') || isBloomeryError(error, 'BLM_WIRE_MALFORMED');

const address = fc.ipV4();
const packets: fc.Arbitrary<DhcpPacket> = fc.record({
  op: fc.nat(255),
  htype: fc.nat(255),
  hops: fc.nat(255),
  xid: fc.nat(0xffffffff),
  secs: fc.nat(0xffff),
  flags: fc.nat(0xffff),
  ciaddr: address,
  yiaddr: address,
  siaddr: address,
  giaddr: address,
  chaddr: fc.uint8Array({ maxLength: 16 }),
  sname: fc.stringMatching(/^[!-~]{0,63}$/),
  file: fc.stringMatching(/^[!-~]{0,127}$/),
  options: fc
    .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 254 }), fc.uint8Array({ maxLength: 300 })), {
      selector: ([code]) => code,
      maxLength: 8,
    })
    .map((entries) => new Map(entries.filter(([code]) => code !== DHCP_OPTION.OVERLOAD))),
});

describe('DHCP messages', () => {
  it('come back as they were sent', () => {
    fc.assert(
      fc.property(packets, (packet) =>
        assert.deepEqual(plain(decodeDhcp(encodeDhcp(packet, { maxBytes: 4_000 }))), plain(packet)),
      ),
    );
  });
  it('are padded to 300 bytes and kept below the client limit', () => {
    assert.equal(encodeDhcp(discover).byteLength, 300);
    assert.throws(() => encodeDhcp(discover, { maxBytes: 250 }), isWireError);
  });
  it('are refused or read whole at every truncation, never half', () => {
    const bytes = encodeDhcp(discover, { minBytes: 0 });
    for (let length = 0; length < bytes.byteLength - 1; length++) {
      const cut = bytes.subarray(0, length);
      try {
        assert.ok(decodeDhcp(cut).options.size <= 3);
      } catch (error) {
        assert.ok(isWireError(error), String(error));
      }
    }
    assert.throws(() => decodeDhcp(bytes.subarray(0, 239)), isWireError);
  });
  it('never break the decoder, whatever the bytes', () => {
    const base = encodeDhcp(discover);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(base.byteLength - 1), fc.nat(255)), { maxLength: 12 }), (changes) => {
        const bytes = base.slice();
        for (const [at, value] of changes) bytes[at] = value;
        try {
          decodeDhcp(bytes);
        } catch (error) {
          assert.ok(isWireError(error), String(error));
        }
      }),
      { numRuns: 10_000, interruptAfterTimeLimit: 5_000 },
    );
  });
  it('carry options in the file and server name fields when overloaded', () => {
    const bytes = Buffer.from(
      encodeDhcp({ ...discover, file: '', sname: '', options: new Map([[52, Uint8Array.of(3)]]) }),
    );
    bytes.set([67, 2, 0x61, 0x62, 255], 108);
    bytes.set([67, 1, 0x63, 255], 44);
    const packet = decodeDhcp(bytes);
    assert.equal(readDhcpText(packet.options.get(67) ?? new Uint8Array()), 'abc');
    assert.equal(packet.file, '');
    assert.equal(packet.sname, '');
  });
});

describe('DHCP option values', () => {
  it('are read as what they are', () => {
    assert.deepEqual(readDhcpUint16s(Uint8Array.of(0, 7, 0, 9, 1)), [7, 9]);
    assert.deepEqual(readDhcpAddresses(dhcpAddresses(['10.0.0.1', 'bad', '1.2.3.4'])), ['10.0.0.1', '1.2.3.4']);
    assert.equal(readDhcpNumber(Uint8Array.of(5, 220)), 1500);
    assert.equal(readDhcpNumber(Uint8Array.of(1, 2, 3)), undefined);
  });
  it('understand both forms of the user class', () => {
    assert.deepEqual(readDhcpUserClasses(dhcpText('iPXE')), ['iPXE']);
    assert.deepEqual(readDhcpUserClasses(dhcpText('\x04iPXE\x02ab')), ['iPXE', 'ab']);
    assert.deepEqual(readDhcpUserClasses(new Uint8Array()), []);
  });
  it('understand classless routes', () => {
    const value = Uint8Array.of(8, 10, 192, 168, 0, 1, 0, 192, 168, 0, 2, 25, 1, 2, 3, 128, 0, 0, 0, 0);
    assert.deepEqual(readDhcpRoutes(value), [
      { destination: '10.0.0.0/8', gateway: '192.168.0.1' },
      { destination: '0.0.0.0/0', gateway: '192.168.0.2' },
      { destination: '1.2.3.128/25', gateway: '0.0.0.0' },
    ]);
    assert.equal(readDhcpRoutes(Uint8Array.of(33, 1, 2, 3, 4, 5, 6, 7, 8, 9)), undefined);
    assert.equal(readDhcpRoutes(Uint8Array.of(8, 10, 1)), undefined);
  });
  it('have no bits of a route behind its mask', () => {
    const value = Uint8Array.of(12, 172, 31, 10, 0, 0, 1, 1, 255, 10, 0, 0, 1, 32, 10, 9, 8, 255, 10, 0, 0, 1);
    assert.deepEqual(
      readDhcpRoutes(value)?.map(({ destination }) => destination),
      ['172.16.0.0/12', '128.0.0.0/1', '10.9.8.255/32'],
    );
  });
  it('never break their readers', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        readDhcpRoutes(bytes);
        readDhcpUserClasses(bytes);
        readDhcpAddresses(bytes);
        readDhcpUint16s(bytes);
        readDhcpText(bytes);
      }),
    );
  });
});
