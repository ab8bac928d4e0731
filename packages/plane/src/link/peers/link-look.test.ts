import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DeviceState, PeerState } from '@bloomery/wire';
import { createLinkLook } from './link-look.ts';

const peer = (publicKey: string, receivedBytes: number, sentBytes: number, lastHandshakeMs?: number): PeerState => ({
  publicKey,
  allowedIps: [],
  keepaliveSeconds: 0,
  receivedBytes,
  sentBytes,
  ...(lastHandshakeMs === undefined ? {} : { lastHandshakeMs }),
});

describe('looking at the device', () => {
  it('keeps the last state, and sums that never fall', async () => {
    const states: (DeviceState | undefined)[] = [
      { listenPort: 1, peers: [peer('a', 10, 20, 1_000), peer('b', 1, 2)] },
      { listenPort: 1, peers: [peer('a', 15, 30, 2_000), peer('b', 1, 2, 2_000)] },
      undefined,
      { listenPort: 1, peers: [peer('a', 3, 4, 3_000)] },
      { listenPort: 1, peers: [peer('a', 2, 5, 3_000)] },
    ];
    const look = createLinkLook({ state: async () => states.shift() });
    const sums: number[][] = [];
    while (states.length > 0) {
      await look.look();
      const { receivedBytes, sentBytes, handshakes } = look.totals();
      sums.push([receivedBytes, sentBytes, handshakes]);
    }
    assert.deepEqual(sums, [
      [11, 22, 1],
      [16, 32, 3],
      [16, 32, 3],
      [19, 36, 4],
      [21, 37, 4],
    ]);
    assert.deepEqual([look.peer('a')?.receivedBytes, look.peer('b')], [2, undefined]);
  });

  it('keeps the last state when the device does not answer', async () => {
    let isSilent = false;
    const look = createLinkLook({
      state: async () => {
        if (isSilent) throw new Error('no answer');
        return { listenPort: 1, peers: [peer('a', 10, 20)] };
      },
    });
    await look.look();
    isSilent = true;
    await assert.rejects(look.look());
    assert.equal(look.peer('a')?.receivedBytes, 10);
  });
});
