import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DHCP_MESSAGE, DHCP_OPTION, type DhcpPacket, dhcpAddresses } from '@bloomery/wire';
import { fqdnParts } from '../fqdn-parts.ts';
import { readDhcp4Lease } from './dhcp4-lease.ts';
import { dhcp4Outputs } from './dhcp4-outputs.ts';

const ack = (options: readonly (readonly [number, Uint8Array])[], yiaddr = '10.0.0.50'): DhcpPacket => ({
  op: 2,
  htype: 1,
  hops: 0,
  xid: 1,
  secs: 0,
  flags: 0,
  ciaddr: '0.0.0.0',
  yiaddr,
  siaddr: '0.0.0.0',
  giaddr: '0.0.0.0',
  chaddr: Uint8Array.of(1, 2, 3, 4, 5, 6),
  sname: '',
  file: '',
  options: new Map([
    [DHCP_OPTION.MESSAGE_TYPE, Uint8Array.of(DHCP_MESSAGE.ACK)],
    [DHCP_OPTION.SERVER_ID, dhcpAddresses(['10.0.0.1'])],
    ...options,
  ]),
});

function outputs(options: readonly (readonly [number, Uint8Array])[], yiaddr?: string) {
  const lease = readDhcp4Lease(ack(options, yiaddr)) ?? assert.fail('no lease');
  return dhcp4Outputs(lease, { linkName: 'eth0', routeMetric: 1_024, hostname: undefined });
}

const routes = (options: readonly (readonly [number, Uint8Array])[]) =>
  outputs([[DHCP_OPTION.SUBNET_MASK, Uint8Array.of(255, 255, 255, 0)], ...options]).routes.map(
    ({ dst, gateway, scope, priority }) =>
      `${dst} via ${gateway} ${scope}${priority === 1_024 ? '' : ` metric ${priority}`}`,
  );

describe('what a lease says', () => {
  const masks: [name: string, mask: readonly number[], yiaddr: string, want: string][] = [
    ['its mask', [255, 255, 254, 0], '10.0.0.50', '10.0.0.50/23'],
    ['a mask of one host', [255, 255, 255, 255], '10.0.0.50', '10.0.0.50/32'],
    ['a mask with holes is none: the class counts', [255, 0, 255, 0], '10.0.0.50', '10.0.0.50/8'],
    ['no mask: the class counts', [], '172.16.0.5', '172.16.0.5/16'],
    ['no mask: the class counts, of small networks', [], '192.168.0.5', '192.168.0.5/24'],
    ['a mask of nothing is none', [0, 0, 0, 0], '192.168.0.5', '192.168.0.5/24'],
  ];
  for (const [name, mask, yiaddr, want] of masks) {
    it(name, () => {
      const found = outputs([[DHCP_OPTION.SUBNET_MASK, Uint8Array.from(mask)]], yiaddr);
      assert.deepEqual(
        found.addresses.map(({ address }) => address),
        [want],
      );
    });
  }

  it('routers are default routes, each once, the first preferred', () => {
    assert.deepEqual(routes([[DHCP_OPTION.ROUTER, dhcpAddresses(['10.0.0.1', '10.0.0.2', '10.0.0.1'])]]), [
      ' via 10.0.0.1 global',
      ' via 10.0.0.2 global metric 1025',
    ]);
  });
  it('a router outside of the network is made reachable on the link', () => {
    assert.deepEqual(routes([[DHCP_OPTION.ROUTER, dhcpAddresses(['192.0.2.1'])]]), [
      ' via 192.0.2.1 global',
      '192.0.2.1/32 via  link',
    ]);
  });
  it('classless routes replace routers', () => {
    const classless = Uint8Array.of(32, 192, 0, 2, 1, 0, 0, 0, 0, 0, 192, 0, 2, 1);
    assert.deepEqual(
      routes([
        [DHCP_OPTION.ROUTER, dhcpAddresses(['10.0.0.1'])],
        [DHCP_OPTION.CLASSLESS_ROUTES, classless],
      ]),
      ['192.0.2.1/32 via  link', ' via 192.0.2.1 global'],
    );
  });
  it('of classless routes to the same the first is preferred', () => {
    const classless = [0, 10, 0, 0, 2, 8, 10, 10, 0, 0, 3, 0, 10, 0, 0, 4];
    assert.deepEqual(routes([[DHCP_OPTION.CLASSLESS_ROUTES, Uint8Array.from(classless)]]), [
      ' via 10.0.0.2 global',
      '10.0.0.0/8 via 10.0.0.3 global',
      ' via 10.0.0.4 global metric 1025',
    ]);
  });
  it('classless routes that cannot be read do not hide the routers', () => {
    assert.deepEqual(
      routes([
        [DHCP_OPTION.ROUTER, dhcpAddresses(['10.0.0.1'])],
        [DHCP_OPTION.CLASSLESS_ROUTES, Uint8Array.of(33, 1)],
      ]),
      [' via 10.0.0.1 global'],
    );
  });
  it('an MTU that no network has is ignored', () => {
    const mtus = [68, 575, 576, 9_000].map((mtu) =>
      outputs([[DHCP_OPTION.INTERFACE_MTU, Uint8Array.of(mtu >> 8, mtu & 255)]]),
    );
    assert.deepEqual(
      mtus.map(({ links }) => links[0]?.mtu),
      [undefined, undefined, 576, 9_000],
    );
  });
  it('addresses of servers that no host has are left out', () => {
    const { resolvers, timeServers } = outputs([
      [DHCP_OPTION.DNS, dhcpAddresses(['0.0.0.0', '10.0.0.2', '255.255.255.255'])],
      [DHCP_OPTION.TIME_SERVERS, dhcpAddresses(['224.0.1.1'])],
    ]);
    assert.deepEqual([resolvers?.dnsServers, timeServers], [['10.0.0.2'], undefined]);
  });
});

describe('host names of the network', () => {
  const names: [name: string, want: unknown][] = [
    ['node-1', { hostname: 'node-1', domainname: '' }],
    ['node-1.lab.example.', { hostname: 'node-1', domainname: 'lab.example' }],
    ['', undefined],
    ['-a', undefined],
    ['a..b', undefined],
    ['a b', undefined],
    ['a\nb', undefined],
    ['a'.repeat(64), undefined],
    [`${'a.'.repeat(130)}a`, undefined],
  ];
  for (const [name, want] of names)
    it(JSON.stringify(name.slice(0, 30)), () => assert.deepEqual(fqdnParts(name), want));
});
