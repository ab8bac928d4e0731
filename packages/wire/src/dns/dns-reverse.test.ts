import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dnsReverseName } from './dns-reverse.ts';

describe('the name of an address', () => {
  const cases: [address: string, name: string | undefined][] = [
    ['192.0.2.1', '1.2.0.192.in-addr.arpa'],
    ['::1', `${['1', ...Array(31).fill('0')].join('.')}.ip6.arpa`],
    ['2001:DB8::567:89ab', 'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'],
    ['host.test', undefined],
    ['192.0.2.0/24', undefined],
    ['', undefined],
  ];
  for (const [address, name] of cases)
    it(`${JSON.stringify(address)}: ${name ?? 'none'}`, () => assert.equal(dnsReverseName(address), name));
});
