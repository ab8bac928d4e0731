import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type IpPrefix, parsePrefix } from '../ip/ip-prefix.ts';
import { addressOrder } from './address-order.ts';

const prefix = (text: string): IpPrefix => parsePrefix(text) ?? assert.fail(`${text} is no prefix`);

const cases: [algorithm: 'v1' | 'v2', texts: readonly string[], want: readonly string[]][] = [
  ['v1', ['10.0.0.2/24', 'fd00::1/64', '10.0.0.1/8'], ['10.0.0.1/8', '10.0.0.2/24', 'fd00::1/64']],
  ['v1', ['10.0.0.1/32', '10.0.0.1/8'], ['10.0.0.1/8', '10.0.0.1/32']],
  ['v1', ['2001:db8::2/128', '2001:db8::1/64'], ['2001:db8::1/64', '2001:db8::2/128']],
  ['v2', ['10.0.0.1/8', '10.0.1.2/24'], ['10.0.1.2/24', '10.0.0.1/8']],
  ['v2', ['10.0.0.1/8', '10.0.0.1/32'], ['10.0.0.1/32', '10.0.0.1/8']],
  ['v2', ['2001:db8::1/64', '2001:db8::2/128', '10.9.9.9/8'], ['10.9.9.9/8', '2001:db8::2/128', '2001:db8::1/64']],
  ['v2', ['192.168.3.4/24', '10.0.0.1/24'], ['10.0.0.1/24', '192.168.3.4/24']],
];

describe('orders of addresses', () => {
  for (const [algorithm, texts, want] of cases) {
    it(`${algorithm} sorts ${texts.join(' ')} to ${want.join(' ')}`, () => {
      const sorted = texts.map(prefix).sort(addressOrder(algorithm));
      assert.deepEqual(
        sorted.map(({ text }) => text),
        want,
      );
    });
  }

  it('are the same from both sides', () => {
    const some = fc.tuple(fc.ipV4(), fc.nat(32)).map(([address, bits]) => prefix(`${address}/${bits}`));
    fc.assert(
      fc.property(some, some, fc.constantFrom('v1' as const, 'v2' as const), (a, b, algorithm) => {
        const order = addressOrder(algorithm);
        assert.equal(Math.sign(order(a, b)), -Math.sign(order(b, a)) + 0);
      }),
    );
  });
});
