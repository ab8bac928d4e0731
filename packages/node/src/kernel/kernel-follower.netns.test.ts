import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createFakeClock, type Logger, silentLog, systemClock, until } from '@bloomery/ports';
import { decodeRtnlLink, NetlinkBytes, RTM_NEWLINK } from '@bloomery/wire';
import { followKernel } from './kernel-follower.ts';
import { createLiveView } from './live-view.ts';
import { NETLINK_ROUTE, type NetlinkRequests, openNetlinkSocket } from './netlink-socket.ts';
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
    const requests: NetlinkRequests = {
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

  it('asks again for what it may have missed in lists that changed whenever they were read', async () => {
    ipBatch(['link add late type veth peer name late1']);
    using socket = await openNetlinkSocket({ ...deps, protocol: NETLINK_ROUTE, receiveBufferBytes: 1 << 20 });
    const view = createLiveView();
    let isCalm = false;
    const requests: NetlinkRequests = {
      request: async (what, request, onAnswer = () => {}) => {
        if (what !== 'listing links' || isCalm) return socket.request(what, request, onAnswer);
        await socket.request(what, request, (bytes, message) => {
          if (decodeRtnlLink(bytes, message.from, message.to)?.name !== 'late') onAnswer(bytes, message);
        });
        return true;
      },
    };
    using follower = await followKernel(view, { ...deps, requests });
    // Nobody waits for the calm: what could be read is shown.
    await follower.settled();
    assert.deepEqual([view.linkByName('late'), view.linkByName('late1')?.kind], [undefined, 'veth']);
    isCalm = true;
    await until('the link that was missed is seen', () => view.linkByName('late') !== undefined);
    ip('link', 'del', 'late');
  });

  it('shows everything but what it cannot read, and says that', async () => {
    const said: string[] = [];
    const log: Logger = { ...silentLog, warn: (event, facts) => said.push(`${event} ${JSON.stringify(facts)}`) };
    using socket = await openNetlinkSocket({ ...deps, protocol: NETLINK_ROUTE, receiveBufferBytes: 1 << 20 });
    const requests: NetlinkRequests = {
      request: (what, request, onAnswer = () => {}) => {
        if (what === 'listing links')
          onAnswer(new NetlinkBytes(new Uint8Array(20)), {
            ...{ type: RTM_NEWLINK, flags: 0, sequence: 0, port: 0 },
            ...{ from: 16, to: 20 },
          });
        return socket.request(what, request, onAnswer);
      },
    };
    const view = createLiveView();
    using _follower = await followKernel(view, { ...deps, log, requests });
    assert.equal(view.linkByName('lo')?.index, 1);
    assert.deepEqual(said, [
      'kernel.listed_unreadable {"what":"listing links","error":"a netlink message ends inside a link"}',
    ]);
  });

  it('sees that routes go, or go elsewhere, with a next hop that has a number of its own', async () => {
    ipBatch([
      ...['link add v5 type veth peer name w5', 'link set v5 up', 'link set w5 up', 'addr add 10.5.0.1/24 dev v5'],
      ...['nexthop add id 1 via 10.5.0.8 dev v5', 'nexthop add id 2 via 10.5.0.9 dev v5', 'nexthop add id 9 group 1/2'],
      ...['route add 172.21.0.0/24 nhid 1', 'route add 172.22.0.0/24 nhid 9'],
    ]);
    using socket = await openNetlinkSocket({ ...deps, protocol: NETLINK_ROUTE, receiveBufferBytes: 1 << 20 });
    const view = createLiveView();
    using follower = await followKernel(view, { ...deps, requests: socket });
    const routes = (): readonly string[] =>
      [...view.routes.values()]
        .filter(({ destination }) => destination.startsWith('172.2'))
        .map(({ destination, gateway, nextHops = [] }) => `${destination} ${gateway}${nextHops.length}`)
        .sort();
    assert.deepEqual(routes(), ['172.21.0.0/24 10.5.0.80', '172.22.0.0/24 2']);
    ip('nexthop', 'del', 'id', '1');
    await follower.settled();
    assert.deepEqual(routes(), ['172.22.0.0/24 10.5.0.90']);
    ip('nexthop', 'replace', 'id', '2', 'via', '10.5.0.7', 'dev', 'v5');
    await follower.settled();
    assert.deepEqual(routes(), ['172.22.0.0/24 10.5.0.70']);
    // Nobody says that a route goes with the cable; one without a next hop of its own stays.
    ip('route', 'add', '172.23.0.0/24', 'via', '10.5.0.6');
    ip('link', 'set', 'w5', 'down');
    await until('the route is gone', () => !routes().includes('172.22.0.0/24 10.5.0.70'));
    assert.deepEqual(routes(), ['172.23.0.0/24 10.5.0.60']);
    ip('link', 'del', 'v5');
  });

  it('goes on asking when it is not answered, and says that once', async () => {
    const said: string[] = [];
    const log: Logger = { ...silentLog, warn: (event) => void said.push(event) };
    ipBatch([
      ...['link add v6 type veth peer name w6', 'link set v6 up', 'link set w6 up', 'addr add 10.6.0.1/24 dev v6'],
      ...['nexthop add id 6 via 10.6.0.9 dev v6', 'route add 172.26.0.0/24 nhid 6'],
    ]);
    using socket = await openNetlinkSocket({ ...deps, protocol: NETLINK_ROUTE, receiveBufferBytes: 1 << 20 });
    const refused: string[] = [];
    const requests: NetlinkRequests = {
      request: (what, request, onAnswer) => {
        if (what !== refused[0]) return socket.request(what, request, onAnswer);
        refused.shift();
        return Promise.reject(new Error(`${what}: no answer`));
      },
    };
    const view = createLiveView();
    using follower = await followKernel(view, { ...deps, log, requests });
    const has = (): boolean => view.routes.values().some(({ destination }) => destination === '172.26.0.0/24');
    assert.equal(has(), true);
    refused.push('listing routes', 'listing links', 'listing addresses', 'listing rules');
    ip('nexthop', 'del', 'id', '6');
    await follower.settled();
    assert.deepEqual([has(), refused, said], [false, [], ['kernel.routes_unknown', 'kernel.unanswered']]);
    ip('link', 'del', 'v6');
  });

  it('asks for nothing any more once it has ended', async () => {
    const clock = createFakeClock();
    using socket = await openNetlinkSocket({ ...deps, protocol: NETLINK_ROUTE, receiveBufferBytes: 1 << 20 });
    let asked = 0;
    let isInterrupted = true;
    const requests: NetlinkRequests = {
      request: async (what, request, onAnswer) => {
        asked++;
        return (await socket.request(what, request, onAnswer)) || isInterrupted;
      },
    };
    const follower = await followKernel(createLiveView(), { ...deps, clock, requests });
    const before = asked;
    follower[Symbol.dispose]();
    isInterrupted = false;
    await clock.advance(60_000);
    await follower.settled();
    assert.equal(asked, before);
    follower[Symbol.dispose]();
  });
});
