import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { PeerPacketSchema } from '../gen/link/wireguard-over-grpc_pb.ts';
import { decodePeerPacket, encodePeerPackets, PEER_PACKET_DATA_MAX } from './peer-packet.ts';
import { createPeerPacketReader, type PeerPacketFault } from './peer-packet-reader.ts';

const hex = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString('hex');

/** As the generated code does it. */
function peerPacket(data: Uint8Array): Uint8Array {
  return toBinary(PeerPacketSchema, create(PeerPacketSchema, { Data: data }));
}

function framed(message: Uint8Array, compressed = 0): Buffer {
  const head = Buffer.from([compressed, 0, 0, 0, 0]);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

interface Read {
  readonly datagrams: (string | undefined)[];
  readonly tooLarge: number;
  readonly fault: PeerPacketFault | undefined;
}

/** Read bytes that are cut at these places. */
function read(bytes: Uint8Array, cuts: readonly number[] = []): Read {
  const datagrams: (string | undefined)[] = [];
  let tooLarge = 0;
  const reader = createPeerPacketReader({
    datagram: (datagram) => datagrams.push(hex(datagram)),
    tooLarge: () => {
      tooLarge += 1;
    },
  });
  let fault: PeerPacketFault | undefined;
  let from = 0;
  for (const to of [...cuts, bytes.length].sort((a, b) => a - b)) {
    if (to < from || to > bytes.length) continue;
    fault = reader.push(bytes.subarray(from, to));
    from = to;
  }
  return { datagrams, tooLarge, fault };
}

const field = fc.oneof(
  fc.tuple(fc.constantFrom(1, 3, 15, 16, 1000), fc.constant(0), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  fc.tuple(fc.constantFrom(1, 3), fc.constant(1), fc.uint8Array({ minLength: 8, maxLength: 8 })),
  fc.tuple(fc.constantFrom(1, 2, 2, 2, 3), fc.constant(2), fc.uint8Array({ maxLength: 300 })),
  fc.tuple(fc.constantFrom(1, 3), fc.constant(5), fc.uint8Array({ minLength: 4, maxLength: 4 })),
);

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    if (rest <= 0x7fn) return Buffer.from(bytes);
  }
}

function fieldBytes([number, type, value]: readonly [number, number, bigint | Uint8Array]): Buffer {
  const tag = varint(BigInt(number * 8 + type));
  if (typeof value === 'bigint') return Buffer.concat([tag, varint(value)]);
  return Buffer.concat(type === 2 ? [tag, varint(BigInt(value.length)), value] : [tag, value]);
}

describe('the message of one datagram', () => {
  const cases: [name: string, message: string, data: string | undefined][] = [
    ['no field', '', ''],
    ['data of no bytes', '1200', ''],
    ['data', '1203010203', '010203'],
    ['the last of two', '1201011202aabb', 'aabb'],
    ['an unknown varint before', '08ffffffffffffffffff01120101', '01'],
    ['an unknown string behind', '120101220161', '01'],
    ['unknown fixed numbers', '1112345678123456781512345678120107', '07'],
    ['data as a number', '1005', ''],
    ['a group with data inside', '0b1201ff0c', ''],
    ['a length that needs fewer bytes', '12810001', '01'],
    ['a group that does not end', '0b', undefined],
    ['the end of another group', '0b14', undefined],
    ['the end of no group', '0c', undefined],
    ['a length behind the end', '120201', undefined],
    ['a length that is cut', '1280', undefined],
    ['a length of eleven bytes', '12808080808080808080808001', undefined],
    ['a length above all memory', '12ffffffffffffffffff01', undefined],
    ['field 0', '0201', undefined],
    ['wire type 6', '16', undefined],
    ['a tag that is cut', '80', undefined],
    ['a number that is cut', '11123456', undefined],
  ];
  for (const [name, message, data] of cases) {
    it(`${name}: ${data === undefined ? 'is none' : `carries "${data}"`}`, () =>
      assert.equal(hex(decodePeerPacket(Buffer.from(message, 'hex'))), data));
  }

  it('is bounded in its nesting', () => {
    const nested = (depth: number): Uint8Array =>
      Uint8Array.from([...Array(depth).fill(0x0b), ...Array(depth).fill(0x0c)]);
    assert.equal(hex(decodePeerPacket(nested(100))), '');
    assert.equal(decodePeerPacket(nested(101)), undefined);
  });

  it('holds what the generated code finds in it, whatever fields there are', () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 8 }), (fields) => {
        const message = Buffer.concat(fields.map(fieldBytes));
        assert.equal(hex(decodePeerPacket(message)), hex(fromBinary(PeerPacketSchema, message).Data));
      }),
    );
  });

  it('is read, or refused, whatever the bytes are and wherever they end', () => {
    fc.assert(
      fc.property(
        fc.array(field, { maxLength: 4 }),
        fc.uint8Array({ maxLength: 30 }),
        fc.nat(200),
        (fields, tail, end) => {
          const message = Buffer.concat([...fields.map(fieldBytes), tail]).subarray(0, end);
          const data = decodePeerPacket(message);
          assert.ok(data === undefined || data.length <= message.length);
        },
      ),
      { numRuns: 10_000, interruptAfterTimeLimit: 10_000 },
    );
  });
});

describe('a stream of datagrams', () => {
  it('is what the generated code makes, at every length of the length', () => {
    for (const length of [1, 127, 128, 1_400, 16_383, 16_384, 65_535, 3_000_000]) {
      const data = Buffer.alloc(length, 7);
      assert.ok(framed(peerPacket(data)).equals(encodePeerPackets([data])), String(length));
    }
  });

  it('gives the same datagrams however it is cut, without the empty ones', () => {
    const datagrams = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 });
    fc.assert(
      fc.property(datagrams, fc.array(fc.nat(3_000)), (sent, cuts) => {
        const want = sent.filter((datagram) => datagram.length > 0).map(hex);
        assert.deepEqual(read(encodePeerPackets(sent), cuts), { datagrams: want, tooLarge: 0, fault: undefined });
      }),
    );
  });

  it('gives the same datagrams byte by byte', () => {
    const sent = [Buffer.alloc(3, 1), Buffer.alloc(200, 2), Buffer.alloc(0), Buffer.alloc(1, 3)];
    const bytes = encodePeerPackets(sent);
    const cuts = Array.from({ length: bytes.length }, (_, i) => i);
    assert.deepEqual(read(bytes, cuts).datagrams, [hex(sent[0]), hex(sent[1]), hex(sent[3])]);
  });

  it('carries the largest datagram, skips larger ones and goes on behind them', () => {
    const sent = [PEER_PACKET_DATA_MAX, PEER_PACKET_DATA_MAX + 1, 70_000, 4_000_000, 5].map((n) => Buffer.alloc(n, 9));
    const bytes = encodePeerPackets(sent);
    for (const cuts of [[], [3], [100_000, 200_001, 1_000_000]]) {
      const { datagrams, tooLarge, fault } = read(bytes, cuts);
      assert.deepEqual(
        [datagrams.map((text) => (text ?? '').length / 2), tooLarge, fault],
        [[PEER_PACKET_DATA_MAX, 5], 3, undefined],
      );
    }
  });

  const faults: [name: string, bytes: Uint8Array, fault: PeerPacketFault][] = [
    ['a compressed message', framed(Buffer.from('1200', 'hex'), 1), 'compressed'],
    ['a message that is none', framed(Buffer.from('1280', 'hex')), 'malformed'],
    ['more than 4 MiB', Buffer.from('0000400001', 'hex'), 'too long'],
    ['4 GiB', Buffer.from('00ffffffff', 'hex'), 'too long'],
  ];
  for (const [name, bytes, fault] of faults) {
    it(`ends at ${name}, also for what comes behind`, () => {
      const good = encodePeerPackets([Uint8Array.of(1)]);
      const all = Buffer.concat([good, bytes, good]);
      assert.deepEqual(read(all), { datagrams: ['01'], tooLarge: 0, fault });
      assert.deepEqual(read(all, [4, good.length, good.length + 2, all.length - 1]).fault, fault);
    });
  }

  it('never throws, never gives more than it got, and does the same however it is cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(300)), fc.boolean(), (rubbish, cuts, zeros) => {
        const bytes = zeros ? rubbish.map((byte) => (byte % 3 === 0 ? 0 : byte % 32)) : rubbish;
        const whole = read(bytes);
        assert.ok(whole.datagrams.join('').length <= bytes.length * 2);
        assert.deepEqual(read(bytes, cuts), whole);
      }),
      { numRuns: 10_000, interruptAfterTimeLimit: 10_000 },
    );
  });
});
