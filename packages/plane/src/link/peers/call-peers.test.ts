import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { callPeers } from './call-peers.ts';

describe('calling machines after a start', () => {
  it('is 500 a second, in the order that was asked for', async () => {
    const clock = createFakeClock();
    const calls: [atMs: number, keys: number, first: string | undefined][] = [];
    const peers = { call: async (keys: readonly string[]) => void calls.push([clock.nowMs(), keys.length, keys[0]]) };
    const keys = Array.from({ length: 120 }, (_, i) => `k${i}`);
    const done = callPeers(keys, { peers, clock, log: silentLog }, new AbortController().signal);
    await clock.advance(1_000);
    await done;
    assert.deepEqual(calls, [
      [0, 50, 'k0'],
      [100, 50, 'k50'],
      [200, 20, 'k100'],
    ]);
  });

  it('ends with the device', async () => {
    const clock = createFakeClock();
    const stop = new AbortController();
    let calls = 0;
    const peers = { call: async () => void calls++ };
    const done = callPeers(
      Array.from({ length: 500 }, (_, i) => `k${i}`),
      { peers, clock, log: silentLog },
      stop.signal,
    );
    await clock.advance(150);
    stop.abort();
    await done;
    assert.equal(calls, 2);
  });

  it('does not fail when the device does', async () => {
    const clock = createFakeClock();
    const peers = { call: () => Promise.reject(new Error('gone')) };
    await callPeers(['k'], { peers, clock, log: silentLog }, new AbortController().signal);
  });
});
