import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalAddress } from '../canonical-address.ts';
import { createAddressFilter, usableAddresses } from './address-filter.ts';

const LINK = 'fdae:41e4:649b:9303::a1';
const usable = (reported: readonly string[], ...cidrs: string[]): readonly string[] =>
  usableAddresses(reported, LINK, createAddressFilter(cidrs));

describe('addresses that a machine reports', () => {
  const cases: [name: string, reported: string[], cidrs: string[], want: string[]][] = [
    ['keep their order', ['10.9.0.2', '2001:db8::7', '10.9.0.1'], [], ['10.9.0.2', '2001:db8::7', '10.9.0.1']],
    [
      'are what the specification says of its example',
      ['172.25.0.5', LINK, 'not-an-ip', '10.250.1.1'],
      ['10.250.0.0/16'],
      ['172.25.0.5'],
    ],
    ['are dropped when they are no addresses', ['', 'x', '300.1.1.1', '10.0.0.1/24', '10.0.0.1'], [], ['10.0.0.1']],
    ['are not those of any SideroLink', ['fdff:1:2:3::9', 'fd00:0:0:3::1', 'fd00:0:0:4::1'], [], ['fd00:0:0:4::1']],
    ['are not link-local', ['169.254.3.4', 'fe80::1', 'fe80::1%eth0', 'febf::1', 'fec0::1'], [], ['fec0::1']],
    ['count IPv6-mapped as IPv4', ['::ffff:10.250.1.1', '::ffff:ac19:5'], ['10.250.0.0/16'], ['172.25.0.5']],
    ['are each there once', ['172.25.0.5', '::ffff:172.25.0.5', '172.25.0.5'], [], ['172.25.0.5']],
    ['have one text', ['2001:DB8:0:0::7', LINK.toUpperCase()], [], ['2001:db8::7']],
    [
      'are filtered by every CIDR',
      ['10.1.0.1', '10.2.0.1', 'fd01::1', '8.8.8.8'],
      ['10.0.0.0/8', 'fd00::/8'],
      ['8.8.8.8'],
    ],
    ['are all kept without a filter', ['10.1.0.1'], ['-', '', ' '], ['10.1.0.1']],
    ['are all dropped by a filter of everything', ['10.1.0.1', '2001:db8::1'], ['0.0.0.0/0', '::/0'], []],
  ];
  for (const [name, reported, cidrs, want] of cases) it(name, () => assert.deepEqual(usable(reported, ...cidrs), want));

  it('are at most 128', () => {
    const many = Array.from({ length: 1_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    assert.deepEqual(usable(many), many.slice(0, 128));
  });

  it('never make the filter fail, whatever text they are', () => {
    const isExcluded = createAddressFilter(['10.0.0.0/8', 'fd00::/8']);
    const hostile = fc.oneof(
      fc.string(),
      fc.ipV4(),
      fc.ipV6(),
      fc.string().map((s) => `fe80::${s}`),
    );
    fc.assert(
      fc.property(fc.array(hostile), (reported) => {
        for (const address of usableAddresses(reported, LINK, isExcluded)) {
          assert.equal(canonicalAddress(address), address);
          assert.ok(!isExcluded(address));
        }
      }),
    );
  });
});

describe('a filter of addresses', () => {
  it('leaves out what is no CIDR, instead of failing', () => {
    const isExcluded = createAddressFilter([
      '300.1.1.1/99',
      '10.0.0.0/33',
      '10.0.0.0',
      'fe80::%1/64',
      'x/8',
      '11.0.0.0/8',
    ]);
    assert.deepEqual([isExcluded('10.0.0.1'), isExcluded('11.0.0.1')], [false, true]);
  });
});
