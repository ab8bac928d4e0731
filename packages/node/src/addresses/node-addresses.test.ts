import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressStatus } from '../resources/addresses.ts';
import { LinkStatus } from '../resources/links.ts';
import { filterAddresses, type NodeAddresses, nodeAddresses } from './node-addresses.ts';

const LINKS: readonly LinkStatus[] = [
  LinkStatus.make({ index: 1, type: 'loopback', operationalState: 'unknown' }),
  LinkStatus.make({ index: 2, type: 'ether', operationalState: 'up', linkState: true }),
  LinkStatus.make({ index: 3, type: 'ether', operationalState: 'down' }),
  LinkStatus.make({ index: 4, type: 'nohdr', kind: 'wireguard', operationalState: 'unknown' }),
  LinkStatus.make({ index: 5, type: 'ether', operationalState: 'unknown' }),
];
const NAMES = ['', 'lo', 'eth0', 'eth1', 'siderolink', 'eth2', 'kubespan'];

const on = (linkIndex: number, address: string, values: Partial<AddressStatus> = {}): AddressStatus =>
  AddressStatus.make({ linkIndex, linkName: NAMES[linkIndex] ?? '', address, ...values });

function found(
  addresses: readonly AddressStatus[],
  values: { before?: Partial<NodeAddresses>; algorithm?: string } = {},
) {
  const before = { default: undefined, accumulative: [], ...values.before };
  return nodeAddresses({ addresses, links: LINKS, algorithm: values.algorithm ?? 'v1', before });
}

describe('the addresses of a node', () => {
  it('are none while it has none', () => {
    assert.deepEqual(found([]), { default: undefined, current: [], routed: [], accumulative: [] });
  });

  it('leave out what nobody else can reach', () => {
    const addresses = [
      on(1, '127.0.0.1/8', { scope: 'host' }),
      on(1, '::1/128'),
      on(2, 'fe80::1/64', { scope: 'link' }),
      on(2, '169.254.7.7/16'),
      on(1, '169.254.116.108/32', { scope: 'host' }),
      on(1, 'fd54:616c:6f73:0:204f:5320:444e:531/128'),
      on(2, '224.0.0.5/32'),
      on(2, '10.0.0.5/24'),
    ];
    const own = ['10.0.0.5/24'];
    assert.deepEqual(found(addresses), { default: own[0], current: own, routed: own, accumulative: own });
  });

  it('count as current only on links that carry', () => {
    const addresses = [on(2, '10.0.0.5/24'), on(3, '10.1.0.5/24'), on(5, '10.2.0.5/24'), on(4, '10.3.0.5/24')];
    const { current, accumulative } = found(addresses);
    assert.deepEqual(current, ['10.0.0.5/24', '10.3.0.5/24']);
    assert.deepEqual(accumulative, ['10.0.0.5/24', '10.1.0.5/24', '10.2.0.5/24', '10.3.0.5/24']);
  });

  it('are routed unless they are of SideroLink or KubeSpan', () => {
    const addresses = [on(4, 'fdae:41e4:649b:9303::5/64'), on(2, '10.0.0.5/24'), on(2, 'fd00:1:2:4::5/64')];
    const links = [
      ...LINKS,
      LinkStatus.make({ index: 6, type: 'nohdr', kind: 'wireguard', operationalState: 'unknown' }),
    ];
    const all = [...addresses, on(6, 'fd11:2222:3333:4402::5/128')];
    const { current, routed } = nodeAddresses({
      addresses: all,
      links,
      algorithm: 'v1',
      before: { default: undefined, accumulative: [] },
    });
    assert.equal(current.length, 4);
    assert.deepEqual(routed, ['10.0.0.5/24', 'fd00:1:2:4::5/64']);
  });

  it('are sorted by the algorithm, each once', () => {
    const addresses = [on(2, '10.0.0.5/8'), on(2, '10.0.1.6/24'), on(4, '10.0.1.6/24')];
    assert.deepEqual(found(addresses).current, ['10.0.0.5/8', '10.0.1.6/24']);
    assert.deepEqual(found(addresses, { algorithm: 'v2' }).current, ['10.0.1.6/24', '10.0.0.5/8']);
  });

  it('gather what there was, up to a bound', () => {
    const former = Array.from({ length: 1500 }, (_, i) => `10.${i >> 8}.${i & 255}.1/32`);
    const { accumulative } = found([on(2, '192.168.0.1/24')], { before: { accumulative: former } });
    assert.equal(accumulative.length, 1001);
    assert.equal(accumulative.at(-1), '192.168.0.1/24');
  });
});

describe('the default address of a node', () => {
  const both = [on(2, '10.0.0.5/24'), on(2, '10.0.0.9/24')];
  const cases: [
    name: string,
    addresses: readonly AddressStatus[],
    before: string | undefined,
    want: string | undefined,
  ][] = [
    ['is the smallest of the first link', both, undefined, '10.0.0.5/24'],
    ['stays while the node has it', both, '10.0.0.9/24', '10.0.0.9/24'],
    ['is another one when it is gone', both, '10.0.0.7/24', '10.0.0.5/24'],
    [
      'is of a link that carries, if any does',
      [on(3, '10.1.0.5/24'), on(5, '10.2.0.5/24'), on(4, '10.9.0.5/24')],
      undefined,
      '10.9.0.5/24',
    ],
    ['stays when no link carries', [on(3, '10.1.0.5/24'), on(5, '10.2.0.5/24')], '10.2.0.5/24', '10.2.0.5/24'],
    [
      'is of SideroLink only without any other',
      [on(4, 'fdae:41e4:649b:9303::5/64')],
      undefined,
      'fdae:41e4:649b:9303::5/64',
    ],
    [
      'makes way for one that is not of SideroLink',
      [on(4, 'fdae:41e4:649b:9303::5/64'), on(2, '10.0.0.5/24')],
      'fdae:41e4:649b:9303::5/64',
      '10.0.0.5/24',
    ],
  ];
  for (const [name, addresses, before, want] of cases) {
    it(name, () => assert.equal(found(addresses, { before: { default: before } }).default, want));
  }
});

describe('filtered addresses', () => {
  const addresses = ['10.0.0.5/24', '10.244.0.1/24', 'fd00:10::1/64'];
  const networks = ['10.244.0.0/16', 'fd00:10::/32'];
  it('leave out those of excluded networks', () =>
    assert.deepEqual(filterAddresses(addresses, { includeSubnets: [], excludeSubnets: networks }), ['10.0.0.5/24']));
  it('are only those of included networks', () =>
    assert.deepEqual(filterAddresses(addresses, { includeSubnets: networks, excludeSubnets: [] }), addresses.slice(1)));
});
