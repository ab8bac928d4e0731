import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeFrames, encodeFrames } from './datagram-frames.ts';
import { encodeSockaddr, isLoopbackSockaddr } from './sockaddr.ts';

const hexOf = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');

describe('datagrams between the threads', () => {
  it('come out as they went in', () => {
    const frame = fc.record({
      socket: fc.nat(65_535),
      peer: fc.uint8Array({ minLength: 16, maxLength: 28 }),
      packet: fc.uint8Array({ maxLength: 600 }),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 70 }), (frames) => {
        const plain = (all: Iterable<{ socket: number; peer: Uint8Array; packet: Uint8Array }>): unknown =>
          [...all].map(({ socket, peer, packet }) => [socket, hexOf(peer), hexOf(packet)]);
        assert.deepEqual(plain(decodeFrames(encodeFrames(frames))), plain(frames));
      }),
    );
  });
  it('the longest packet keeps its length', () => {
    const packet = new Uint8Array(65_535).fill(7);
    const [frame] = decodeFrames(encodeFrames([{ socket: 1, peer: new Uint8Array(16), packet }]));
    assert.equal(frame?.packet.byteLength, 65_535);
  });
});

describe('addresses as the kernel takes them', () => {
  it('of both families', () => {
    assert.equal(hexOf(encodeSockaddr({ host: '127.0.0.53', port: 53 })), '020000357f0000350000000000000000');
    assert.equal(
      hexOf(encodeSockaddr({ host: 'fd00::1', port: 5353 })),
      `0a0014e900000000fd${'00'.repeat(14)}0100000000`,
    );
    assert.equal(encodeSockaddr({ host: 'localhost', port: 53 }), undefined);
  });
  const cases: [host: string, want: boolean][] = [
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['10.0.0.1', false],
    ['::1', true],
    ['fd00::1', false],
    ['::', false],
  ];
  for (const [host, want] of cases)
    it(`${host} is ${want ? '' : 'not '}of the loopback`, () =>
      assert.equal(isLoopbackSockaddr(encodeSockaddr({ host, port: 1 }) ?? new Uint8Array()), want));
  it('scraps are not', () => assert.equal(isLoopbackSockaddr(new Uint8Array(3)), false));
});
