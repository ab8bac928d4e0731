import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { RTM_NEWLINK } from './rtnl.ts';
import { decodeRtnlPromotion, encodeRtnlPromotion } from './rtnl-promotion.ts';
import { decodeReal, readMessage, realBytes } from './testing/real-messages.ts';

const read = (bytes: Uint8Array): boolean =>
  readMessage(bytes, (input, { from, to }) => decodeRtnlPromotion(input, from, to));

/** `link#0` with the setting switched on: the 20th number of the IPv4 settings of the link, the first of which is `forwarding`. */
function switchedOn(): Buffer {
  const bytes = realBytes('link#0');
  // Lengths and types of IFLA_AF_SPEC's AF_INET and of IFLA_INET_CONF, which has 33 numbers in Linux 6.18.
  const head = Buffer.from('8c00020088000100', 'hex');
  const at = bytes.indexOf(head);
  assert.ok(at > 0, 'the settings are in the message');
  bytes.writeUInt32LE(1, at + head.length + 19 * 4);
  return bytes;
}

describe('whether later addresses of a network take the place of the first', () => {
  it('is read from what a real kernel says of a link', () => {
    assert.equal(decodeReal('link#0', decodeRtnlPromotion), false);
    assert.equal(read(switchedOn()), true);
  });

  it('is not so where the kernel says nothing of it, or has fewer settings', () => {
    const head = encodeRtnlPromotion(3, true).slice(0, 32);
    head[0] = 32;
    assert.equal(read(head), false);
    // The request holds one setting, not the list of all.
    assert.equal(read(encodeRtnlPromotion(3, true)), false);
  });

  it('is set by one setting of one link', () => {
    const bytes = Buffer.from(encodeRtnlPromotion(7, true));
    assert.equal(bytes.readUInt16LE(4), RTM_NEWLINK);
    assert.deepEqual([bytes.readInt32LE(20), bytes.readUInt32LE(24), bytes.readUInt32LE(28)], [7, 0, 0]);
    assert.equal(bytes.subarray(32).toString('hex'), '14001a80100002800c0001800800140001000000');
    assert.equal(
      Buffer.from(encodeRtnlPromotion(7, false))
        .subarray(32 + 16)
        .readUInt32LE(0),
      0,
    );
  });

  it('is read from any mutation without an error but its own', () => {
    const bytes = switchedOn();
    fc.assert(
      fc.property(fc.nat(bytes.length - 17), fc.nat(255), (at, value) => {
        const mutated = Buffer.from(bytes);
        mutated[16 + at] = value;
        try {
          assert.equal(typeof read(mutated), 'boolean');
        } catch (error) {
          assert.ok(error instanceof BloomeryError, String(error));
          assert.match(error.code, /^BLM_WIRE_(TRUNCATED|MALFORMED)$/);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
