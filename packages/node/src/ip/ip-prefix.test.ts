import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  compareIps,
  type IpAddress,
  isLinkLocal,
  isLoopback,
  isMulticast,
  isUnspecified,
  maskedPrefix,
  parseAddressOrPrefix,
  parseIp,
  parsePrefix,
  prefixContains,
} from './ip-prefix.ts';

const ip = (text: string): IpAddress => parseIp(text) ?? assert.fail(`${text} is no address`);

describe('prefixes', () => {
  const prefixes: [text: string, want: string | undefined][] = [
    ['10.3.4.5/24', '10.3.4.5/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0::1/64', '2001:db8::1/64'],
    ['::/0', '::/0'],
    ['10.0.0.1', undefined],
    ['10.0.0.1/33', undefined],
    ['10.0.0.1/024', undefined],
    ['10.0.0.1/', undefined],
    ['10.0.0.1/-1', undefined],
    ['10.0.0.01/8', undefined],
    ['::1/129', undefined],
    ['fe80::1%eth0/64', undefined],
    ['/24', undefined],
    ['', undefined],
  ];
  for (const [text, want] of prefixes) {
    it(`reads ${JSON.stringify(text)} as ${want ?? 'nothing'}`, () => assert.equal(parsePrefix(text)?.text, want));
  }

  const bare: [text: string, want: string | undefined][] = [
    ['10.0.0.1', '10.0.0.1/32'],
    ['fd00::1', 'fd00::1/128'],
    ['10.0.0.1/8', '10.0.0.1/8'],
    ['eth0', undefined],
  ];
  for (const [text, want] of bare) {
    it(`takes ${JSON.stringify(text)} with or without a length for ${want ?? 'nothing'}`, () =>
      assert.equal(parseAddressOrPrefix(text)?.text, want));
  }

  const masked: [text: string, want: string][] = [
    ['10.3.4.5/24', '10.3.4.0/24'],
    ['10.255.255.255/9', '10.128.0.0/9'],
    ['10.3.4.5/32', '10.3.4.5/32'],
    ['10.3.4.5/0', '0.0.0.0/0'],
    ['2001:db8::ffff/49', '2001:db8::/49'],
    ['fd00::1/128', 'fd00::1/128'],
  ];
  for (const [text, want] of masked) {
    it(`masks ${text} to ${want}`, () => assert.equal(maskedPrefix(parsePrefix(text) ?? assert.fail()).text, want));
  }

  const within: [network: string, address: string, want: boolean][] = [
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.128/25', '10.0.0.127', false],
    ['0.0.0.0/0', '1.2.3.4', true],
    ['0.0.0.0/0', '::1', false],
    ['fd00::/8', 'fdff::1', true],
    ['::/0', '10.0.0.1', false],
  ];
  for (const [network, address, want] of within) {
    it(`${address} is ${want ? '' : 'not '}in ${network}`, () =>
      assert.equal(prefixContains(parsePrefix(network) ?? assert.fail(), ip(address)), want));
  }

  it('holds its own masked network, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(32), (address, bits) => {
        const prefix = parsePrefix(`${address}/${bits}`);
        if (prefix === undefined) return;
        const network = maskedPrefix(prefix);
        assert.ok(prefixContains(network, prefix.address));
        assert.equal(maskedPrefix(network).text, network.text);
        assert.equal(parsePrefix(prefix.text)?.text, prefix.text);
      }),
    );
  });

  it('takes any text without an error', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        parsePrefix(text);
        parseIp(text);
        parseAddressOrPrefix(text);
      }),
    );
  });
});

describe('kinds of addresses', () => {
  const kinds: [text: string, loopback: boolean, multicast: boolean, linkLocal: boolean, unspecified: boolean][] = [
    ['127.9.9.9', true, false, false, false],
    ['::1', true, false, false, false],
    ['::2', false, false, false, false],
    ['224.0.0.1', false, true, false, false],
    ['239.255.255.255', false, true, false, false],
    ['240.0.0.1', false, false, false, false],
    ['ff02::1', false, true, false, false],
    ['169.254.1.1', false, false, true, false],
    ['169.255.1.1', false, false, false, false],
    ['fe80::1', false, false, true, false],
    ['febf::1', false, false, true, false],
    ['fec0::1', false, false, false, false],
    ['0.0.0.0', false, false, false, true],
    ['::', false, false, false, true],
  ];
  for (const [text, ...want] of kinds) {
    it(`knows what ${text} is`, () => {
      const address = ip(text);
      assert.deepEqual([isLoopback(address), isMulticast(address), isLinkLocal(address), isUnspecified(address)], want);
    });
  }

  it('puts IPv4 before IPv6, and each by their bytes', () => {
    const sorted = ['fd00::1', '10.0.0.10', '::1', '10.0.0.9', '9.255.0.0'].map(ip).sort(compareIps);
    assert.deepEqual(
      sorted.map(({ text }) => text),
      ['9.255.0.0', '10.0.0.9', '10.0.0.10', '::1', 'fd00::1'],
    );
  });
});
