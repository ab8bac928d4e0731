import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { decodeTftp, encodeTftp, type TftpPacket } from './tftp-packet.ts';

const text = fc.stringMatching(/^[a-z0-9/._-]{1,30}$/);
const options = fc.array(fc.tuple(text, text), { maxLength: 8 });
const block = fc.nat(0xffff);
const packets: fc.Arbitrary<TftpPacket> = fc.oneof(
  fc.record({ type: fc.constantFrom('read', 'write'), file: text, mode: text, options }),
  fc.record({ type: fc.constant('data'), block, bytes: fc.uint8Array({ maxLength: 600 }) }),
  fc.record({ type: fc.constant('ack'), block }),
  fc.record({ type: fc.constant('error'), code: block, message: text }),
  fc.record({ type: fc.constant('oack'), options: fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 8 }) }),
);

const plain = (packet: TftpPacket | undefined): unknown =>
  packet?.type === 'data' ? { ...packet, bytes: Buffer.from(packet.bytes).toString('hex') } : { ...packet };

function decodesOrRefuses(bytes: Uint8Array): void {
  try {
    decodeTftp(bytes);
  } catch (error) {
    assert.ok(
      isBloomeryError(error, 'BLM_WIRE_TRUNCATED') || isBloomeryError(error, 'BLM_WIRE_MALFORMED'),
      String(error),
    );
  }
}

describe('TFTP packets', () => {
  it('come back as they were sent', () => {
    fc.assert(fc.property(packets, (packet) => assert.deepEqual(plain(decodeTftp(encodeTftp(packet))), plain(packet))));
  });
  it('are read or refused at every truncation', () => {
    fc.assert(
      fc.property(packets, (packet) => {
        const bytes = encodeTftp(packet);
        for (let length = 0; length < Math.min(bytes.byteLength, 100); length++)
          decodesOrRefuses(bytes.subarray(0, length));
      }),
    );
  });
  it('never break the decoder, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.nat(8), fc.uint8Array({ maxLength: 1_500 }), (opcode, bytes) =>
        decodesOrRefuses(Uint8Array.of(0, opcode, ...bytes)),
      ),
      { numRuns: 5_000, interruptAfterTimeLimit: 5_000 },
    );
  });
  it('have option names without case and in order', () => {
    const packet = decodeTftp(Buffer.from('\0\x01a.efi\0OCTET\0TSIZE\x000\0BlkSize\x001468\0'));
    assert.deepEqual(packet, {
      type: 'read',
      file: 'a.efi',
      mode: 'octet',
      options: [
        ['tsize', '0'],
        ['blksize', '1468'],
      ],
    });
  });
  it('are dropped when the opcode does not exist and refused when too long', () => {
    assert.equal(decodeTftp(Uint8Array.of(0, 9, 0, 0)), undefined);
    assert.throws(() => decodeTftp(Buffer.from(`\0\x01${'a'.repeat(1_100)}\0octet\0`)));
    assert.throws(() => decodeTftp(Buffer.from(`\0\x01a\0octet\0${'b\x001\0'.repeat(17)}`)));
    assert.throws(() => decodeTftp(Buffer.from('\0\x01a\0octet')));
  });
});
