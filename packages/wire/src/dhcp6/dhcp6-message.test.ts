import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import {
  DHCP6_MESSAGE,
  DHCP6_OPTION,
  type Dhcp6Association,
  type Dhcp6Message,
  decodeDhcp6,
  dhcp6Association,
  dhcp6Options,
  encodeDhcp6,
  readDhcp6Addresses,
  readDhcp6Association,
  readDhcp6Options,
  readDhcp6Status,
} from './dhcp6-message.ts';

const isWireError = (error: unknown): boolean =>
  isBloomeryError(error, 'BLM_WIRE_TRUNCATED') || isBloomeryError(error, 'BLM_WIRE_MALFORMED');

const plain = ({ options, ...message }: Dhcp6Message): unknown => ({
  ...message,
  options: options.map(({ code, value }) => [code, Buffer.from(value).toString('hex')]),
});

const association: Dhcp6Association = {
  iaid: 0xdeadbeef,
  renewSeconds: 1_800,
  rebindSeconds: 2_880,
  addresses: [{ address: '2001:db8::5', preferredSeconds: 3_000, validSeconds: 3_600 }],
  status: 0,
};

/** By hand, field by field: a reply with both identifiers and one address. */
const REPLY = Buffer.from(
  [
    '07a1b2c3',
    '0001000a00030001020000000001',
    '0002000e000100012f0c2f5a020000000002',
    '00030028deadbeef0000070800000b40',
    '0005001820010db800000000000000000000000500000bb800000e10',
  ].join(''),
  'hex',
);

describe('messages of DHCPv6', () => {
  it('are read as a server wrote them', () => {
    const { type, xid, options } = decodeDhcp6(REPLY);
    assert.deepEqual([type, xid, options.map(({ code }) => code)], [DHCP6_MESSAGE.REPLY, 0xa1b2c3, [1, 2, 3]]);
    const value = options.find(({ code }) => code === DHCP6_OPTION.IA_NA)?.value ?? new Uint8Array();
    assert.deepEqual(readDhcp6Association(value), association);
  });
  it('come back as they were sent', () => {
    const messages = fc.record({
      type: fc.integer({ min: 1, max: 11 }),
      xid: fc.nat(0xffffff),
      options: fc.array(fc.record({ code: fc.nat(0xffff), value: fc.uint8Array({ maxLength: 300 }) }), {
        maxLength: 8,
      }),
    });
    fc.assert(
      fc.property(messages, (message) => assert.deepEqual(plain(decodeDhcp6(encodeDhcp6(message))), plain(message))),
    );
  });
  it('are refused or read whole at every truncation, never half', () => {
    for (let length = 0; length < REPLY.byteLength; length++) {
      try {
        assert.ok(decodeDhcp6(REPLY.subarray(0, length)).options.length < 3);
      } catch (error) {
        assert.ok(isWireError(error), String(error));
      }
    }
  });
  it('never break the decoder, whatever the bytes', () => {
    const changes = fc.array(fc.tuple(fc.nat(REPLY.byteLength - 1), fc.nat(255)), { maxLength: 12 });
    fc.assert(
      fc.property(changes, (edits) => {
        const bytes = Uint8Array.from(REPLY);
        for (const [at, value] of edits) bytes[at] = value;
        try {
          for (const { code, value } of decodeDhcp6(bytes).options) {
            readDhcp6Addresses(value);
            if (code === DHCP6_OPTION.IA_NA) readDhcp6Association(value);
          }
        } catch (error) {
          assert.ok(isWireError(error), String(error));
        }
      }),
      { numRuns: 10_000, interruptAfterTimeLimit: 5_000 },
    );
  });
  it('are refused when they are for relays, or have more than 256 options', () => {
    assert.throws(() => decodeDhcp6(Uint8Array.of(13, 0, 0, 0)), isWireError);
    assert.throws(() => readDhcp6Options(new Uint8Array(4 * 257)), isWireError);
    assert.throws(() => dhcp6Options([{ code: 1, value: new Uint8Array(65_536) }]), isWireError);
  });
});

describe('option values of DHCPv6', () => {
  it('associations come back as they were sent, with what was refused', () => {
    assert.deepEqual(readDhcp6Association(dhcp6Association(association).value), association);
    const refused = { ...association, addresses: [], status: 2 };
    assert.deepEqual(readDhcp6Association(dhcp6Association(refused).value), refused);
  });
  it('an address with a status of its own is left out', () => {
    const { value } = dhcp6Association(association);
    const inner = Buffer.concat([value.subarray(16), Buffer.from('000d0002000' + '4', 'hex')]);
    const whole = Buffer.concat([
      value.subarray(0, 12),
      dhcp6Options([{ code: DHCP6_OPTION.IA_ADDRESS, value: inner }]),
    ]);
    assert.deepEqual(readDhcp6Association(whole).addresses, []);
  });
  it('addresses are read whole, 64 at most', () => {
    assert.deepEqual(readDhcp6Addresses(Buffer.from(`20010db8${'0'.repeat(22)}01ff`, 'hex')), ['2001:db8::1']);
    assert.equal(readDhcp6Addresses(new Uint8Array(16 * 70)).length, 64);
  });
  it('no status is success', () => {
    assert.equal(readDhcp6Status([]), 0);
    assert.equal(readDhcp6Status([{ code: DHCP6_OPTION.STATUS_CODE, value: Uint8Array.of(0, 3, 0x6e) }]), 3);
  });
});
