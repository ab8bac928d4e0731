import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { silentLog, systemClock, until } from '@bloomery/ports';
import { followKernel } from './kernel-follower.ts';
import { createLiveView } from './live-view.ts';
import { NETLINK_ROUTE, type NetlinkSocket, openNetlinkSocket } from './netlink-socket.ts';
import { enterPrivateNetwork, ip, ipBatch } from './testing/private-network.ts';

const skip = await enterPrivateNetwork();
const deps = { clock: systemClock, log: silentLog };

describe('following the kernel', { skip }, () => {
  it('what is told while routes are asked anew is newer than the answer', async () => {
    ipBatch([
      ...['link add v0 type veth peer name w0', 'link set v0 up', 'link set w0 up', 'addr add 10.0.0.1/24 dev v0'],
      ...['link add v1 type veth peer name w1', 'link set v1 up', 'link set w1 up', 'addr add 10.1.0.1/24 dev v1'],
      ...['route add 172.17.0.0/24 nexthop via 10.0.0.5 nexthop via 10.1.0.5', 'route add 172.16.0.0/24 via 10.0.0.9'],
    ]);
    using socket = await openNetlinkSocket({ ...deps, protocol: NETLINK_ROUTE, receiveBufferBytes: 1 << 20 });
    let meanwhile: (() => Promise<void>) | undefined;
    const requests: NetlinkSocket = {
      ...socket,
      request: async (what, request, onAnswer) => {
        const isInterrupted = await socket.request(what, request, onAnswer);
        const act = meanwhile;
        if (what !== 'listing routes' || act === undefined) return isInterrupted;
        meanwhile = undefined;
        await act();
        return isInterrupted;
      },
    };
    const view = createLiveView();
    using follower = await followKernel(view, { ...deps, requests });
    const has = (destination: string): boolean =>
      [...view.routes.values()].some((route) => route.destination === destination);
    assert.equal(has('172.16.0.0/24'), true);

    const { promise: isDone, resolve: done } = Promise.withResolvers<void>();
    meanwhile = async () => {
      ip('route', 'del', '172.16.0.0/24');
      ip('route', 'add', '172.18.0.0/24', 'via', '10.0.0.9');
      // The news of it are read meanwhile.
      await pause(100);
      done();
    };
    ip('link', 'set', 'v1', 'down');
    await isDone;
    await follower.settled();
    await until('the new route is seen', () => has('172.18.0.0/24'));
    assert.equal(has('172.16.0.0/24'), false);
  });
});
