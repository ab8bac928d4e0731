import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import {
  eachNetlinkMessage,
  encodeAddressRemoval,
  encodeLinkChange,
  encodeLinkRemoval,
  encodeNewAddress,
  encodeNewLink,
  encodeNewRoute,
  encodeNewRule,
  encodeRouteRemoval,
  encodeRuleRemoval,
  NetlinkBytes,
  NLM_F_APPEND,
  NLM_F_REPLACE,
} from '@bloomery/wire';
import fc from 'fast-check';
import type { KernelLink, KernelRoute, KernelRule } from './kernel.ts';
import { applyNews } from './kernel-news.ts';
import { createLiveView, type LiveView } from './live-view.ts';

const link = (parts: Partial<KernelLink>): KernelLink => ({
  ...{ index: 2, name: 'eth0', type: 1, flags: 1, mtu: 1500, hardwareAddr: '', permanentAddr: '', broadcastAddr: '' },
  ...{ queueDisc: '', masterIndex: 0, linkIndex: 0, operationalState: 0, kind: '', slaveKind: '', alias: '' },
  altNames: [],
  ...parts,
});
const route = (parts: Partial<KernelRoute>): KernelRoute => ({
  ...{ family: 2, destination: '10.9.0.0/16', source: '', gateway: '', outLinkIndex: 2, table: 254, priority: 7 },
  ...{ scope: 0, type: 1, flags: 0, protocol: 4, mtu: 0 },
  ...parts,
});
const rule: KernelRule = {
  ...{ family: 2, priority: 500, source: '10.0.0.0/8', destination: '', table: 100, action: 1 },
  ...{ iifName: '', oifName: '', fwMark: 0, fwMask: 0 },
};
const address = (linkIndex: number, cidr: string) => ({
  ...{ linkIndex, address: cidr, scope: 0, flags: 0, priority: 0 },
});
/** Routes with several next hops by two links. */
const hops = [
  { gateway: '10.0.0.1', linkIndex: 2, weight: 1 },
  { gateway: '10.0.1.1', linkIndex: 3, weight: 1 },
];

describe('a message of the kernel', () => {
  let view: LiveView;
  beforeEach(() => {
    view = createLiveView();
    view.putLink(link({}));
  });
  /** Requests have the form of news. @returns the families whose routes must be asked for */
  const tell = (message: Uint8Array, flags = 0): readonly number[] => {
    const copy = Buffer.from(message);
    copy.writeUInt16LE(flags, 6);
    const families: number[] = [];
    const bytes = new NetlinkBytes(copy);
    eachNetlinkMessage(bytes, (one) => families.push(...applyNews(view, bytes, one)));
    return families;
  };
  const gateways = (): readonly string[] => [...view.routes.values()].map((one) => one.gateway);

  it('of a link puts it into the view, and of its end takes it out', () => {
    assert.deepEqual(tell(encodeLinkChange(7, '', { name: 'eth7', mtu: 1400 })), []);
    assert.deepEqual([view.linkByName('eth7')?.index, view.links.get(7)?.mtu], [7, 1400]);
    tell(encodeLinkRemoval(7));
    assert.equal(view.links.has(7), false);
  });

  it('of a pair tells the end that was made first what its other end is', () => {
    view.putLink(link({ index: 8, name: 'right', kind: 'veth' }));
    const left = Buffer.from(encodeNewLink({ name: 'left', kind: 'veth', parentIndex: 8 }));
    left.writeInt32LE(9, 20);
    tell(left);
    assert.deepEqual([view.links.get(9)?.linkIndex, view.links.get(8)?.linkIndex], [8, 9]);
  });

  it('of a link that goes down takes its IPv4 routes, and asks for those with several next hops', () => {
    view.putRoute(route({}));
    view.putRoute(route({ family: 10, destination: 'fd00::/64' }));
    assert.deepEqual(tell(encodeLinkChange(2, '', { name: 'eth0', up: false })), []);
    assert.deepEqual(
      [...view.routes.values()].map(({ family }) => family),
      [10],
    );
    view.putRoute(route({ outLinkIndex: 0, nextHops: hops }));
    assert.deepEqual(tell(encodeLinkChange(2, '', { name: 'eth0', up: true })), [2]);
    assert.deepEqual(tell(encodeLinkChange(2, '', { name: 'eth0', up: false })), [2]);
    assert.deepEqual(tell(encodeLinkRemoval(2)), [2, 10]);
  });

  it('of an address that goes takes the routes that prefer it, unless another link has it, too', () => {
    for (const index of [2, 3]) tell(encodeNewAddress(address(index, '10.0.0.5/24')));
    view.putRoute(route({ source: '10.0.0.5', outLinkIndex: 4 }));
    tell(encodeAddressRemoval(2, '10.0.0.5/24'));
    assert.equal(view.routes.size, 1);
    tell(encodeAddressRemoval(3, '10.0.0.5/24'));
    assert.deepEqual([view.routes.size, view.addresses.size], [0, 0]);
  });

  it('of the last IPv4 address of a link takes all its IPv4 routes, and asks for those with several next hops', () => {
    for (const cidr of ['10.0.0.5/24', '10.0.0.6/24', 'fd00::5/64']) tell(encodeNewAddress(address(2, cidr)));
    view.putRoute(route({ gateway: '10.0.0.1' }));
    view.putRoute(route({ family: 10, destination: 'fd01::/64', gateway: 'fd00::1' }));
    assert.deepEqual(tell(encodeAddressRemoval(2, '10.0.0.5/24')), []);
    assert.deepEqual(gateways(), ['10.0.0.1', 'fd00::1']);
    assert.deepEqual(tell(encodeAddressRemoval(2, '10.0.0.6/24')), []);
    assert.deepEqual(gateways(), ['fd00::1']);
    tell(encodeNewAddress(address(2, '10.0.0.5/24')));
    view.putRoute(route({ outLinkIndex: 0, nextHops: hops }));
    assert.deepEqual(tell(encodeAddressRemoval(2, '10.0.0.5/24')), [2]);
  });

  it('of a route adds it; one that replaces takes the only other away, and asks when there are more', () => {
    assert.deepEqual(tell(encodeNewRoute(route({ gateway: '10.0.0.1' }), false)), []);
    assert.deepEqual(tell(encodeNewRoute(route({ gateway: '10.0.0.2' }), false), NLM_F_REPLACE), []);
    assert.deepEqual(gateways(), ['10.0.0.2']);
    assert.deepEqual(tell(encodeNewRoute(route({ gateway: '10.0.0.3' }), false), NLM_F_APPEND), []);
    assert.deepEqual(tell(encodeNewRoute(route({ gateway: '10.0.0.4' }), false), NLM_F_REPLACE), [2]);
    assert.deepEqual(tell(encodeRouteRemoval(route({ gateway: '10.0.0.4' }))), []);
    assert.deepEqual(gateways(), ['10.0.0.2', '10.0.0.3']);
  });

  it('of an IPv6 route asks when it is one of several, or is not known', () => {
    const v6 = (gateway: string) => route({ family: 10, destination: 'fd01::/64', gateway });
    assert.deepEqual(tell(encodeNewRoute(v6('fd00::1'), false)), []);
    assert.deepEqual(tell(encodeNewRoute(v6('fd00::2'), false), NLM_F_APPEND), [10]);
    assert.deepEqual(tell(encodeRouteRemoval(v6('fd00::9'))), [10]);
    assert.deepEqual(tell(encodeRouteRemoval(v6('fd00::1'))), []);
    // Of IPv4 it is one that was taken away with its link or address before.
    assert.deepEqual(tell(encodeRouteRemoval(route({ gateway: '10.0.0.9' }))), []);
  });

  it('of a rule adds or removes it', () => {
    tell(encodeNewRule(rule));
    assert.deepEqual(view.rules, [rule]);
    tell(encodeRuleRemoval(rule));
    assert.deepEqual(view.rules, []);
  });

  it('that is unknown, or no message at all, changes nothing but what it names', () => {
    const all = [
      encodeNewLink({ name: 'bond0', kind: 'bond', bond: { mode: 1 } }),
      encodeNewAddress(address(2, '10.0.0.5/24')),
      encodeNewRoute(route({ outLinkIndex: 0, nextHops: hops }), false),
      encodeRouteRemoval(route({})),
      encodeNewRule(rule),
      encodeLinkRemoval(2),
    ];
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(fc.constantFrom(...all), fc.array(change, { maxLength: 8 }), (message, changes) => {
        const bytes = Buffer.from(message);
        // The length stays: it is tested with the codec.
        for (const [at, value] of changes) bytes[4 + (at % (bytes.length - 4))] = value;
        try {
          tell(bytes, bytes.readUInt16LE(6));
        } catch (error) {
          assert.ok(isBloomeryError(error), String(error));
        }
        for (const [index, one] of view.links) assert.equal(index, one.index);
      }),
      { numRuns: 5_000, interruptAfterTimeLimit: 8_000 },
    );
  });
});
