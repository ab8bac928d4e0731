import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createFakeClock, type FakeClock, systemClock } from '@bloomery/ports';
import { encodeLinkDump, encodeLinkGet, encodeNetlinkNoop, NetlinkBytes } from '@bloomery/wire';
import { kernelRefused } from './kernel-error.ts';
import { NETLINK_ROUTE, type NetlinkSocket, openNetlinkSocket } from './netlink-socket.ts';

const skip = process.platform === 'linux' ? false : 'needs Linux';

/** Asks only: nothing of this machine's network is changed. */
describe('a netlink socket', { skip }, () => {
  let clock: FakeClock;
  let socket: NetlinkSocket;
  beforeEach(async () => {
    clock = createFakeClock();
    socket = await openNetlinkSocket({ protocol: NETLINK_ROUTE, clock, receiveBufferBytes: 65_536 });
  });
  afterEach(() => socket[Symbol.dispose]());

  it('gives each request its own answers, however many wait', async () => {
    const asked = Array.from({ length: 50 }, async () => {
      const all = new Set<number>();
      await socket.request('listing links', encodeLinkDump(), (bytes, { from }) =>
        all.add(bytes.i32(from + 4, from + 8)),
      );
      return all;
    });
    const [first, ...others] = await Promise.all(asked);
    assert.ok(first?.has(1));
    for (const other of others) assert.deepEqual(other, first);
  });

  it('tells what the kernel refuses, with the words that were given', async () => {
    await assert.rejects(socket.request('looking at link 99999', encodeLinkGet(99_999)), {
      message: kernelRefused('looking at link 99999', { errno: 19 }).message,
    });
    await socket.request('and goes on', encodeNetlinkNoop());
  });

  it('gives up a request without an answer after 20 s, and goes on with the next', async () => {
    // Without the flag that asks for an answer.
    const silent = Buffer.from(encodeNetlinkNoop());
    silent.writeUInt16LE(1, 6);
    const unanswered = assert.rejects(socket.request('asking', silent), {
      code: 'BLM_KERNEL_UNANSWERED',
      message: 'asking: the kernel gave no answer in 20 s',
    });
    await clock.advance(20_000);
    await unanswered;
    await socket.request('asking again', encodeNetlinkNoop());
  });

  it('refuses what waits, and what comes, when it is closed', async () => {
    const silent = Buffer.from(encodeNetlinkNoop());
    silent.writeUInt16LE(1, 6);
    const waiting = assert.rejects(socket.request('asking', silent), { code: 'BLM_KERNEL_UNANSWERED' });
    await new Promise((resolve) => setImmediate(resolve));
    socket[Symbol.dispose]();
    await waiting;
    await assert.rejects(socket.request('asking', encodeNetlinkNoop()), /the socket is closed/);
    socket[Symbol.dispose]();
  });

  it('can be opened and closed a hundred times', async () => {
    for (let i = 0; i < 100; i++) {
      using one = await openNetlinkSocket({ protocol: NETLINK_ROUTE, clock: systemClock, receiveBufferBytes: 65_536 });
      await one.request('asking', encodeNetlinkNoop());
    }
  });

  it('does not believe other processes', async () => {
    const heard: number[] = [];
    using news = await openNetlinkSocket({
      ...{ protocol: NETLINK_ROUTE, clock: systemClock, receiveBufferBytes: 65_536 },
      onNews: (datagram) => heard.push(new NetlinkBytes(datagram).length),
    });
    const { default: raw } = await import('netlink/dist/raw.js');
    const stranger = new raw.RawNetlinkSocket(NETLINK_ROUTE, { recvBufferSize: 0, sendBufferSize: 0 });
    // Every port of this process: one of them is that of the socket.
    for (let at = 0; at < 256; at++) stranger.send(encodeNetlinkNoop(), { port: (at << 22) | process.pid }, () => {});
    await news.request('asking', encodeNetlinkNoop());
    stranger.close();
    assert.deepEqual(heard, []);
  });
});
