import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createAddressLimit } from './address-limit.ts';

it('an address limit gives places up to its numbers, and takes each back once', () => {
  const take = createAddressLimit({ total: 3, perAddress: 2 });
  const [first, second] = [take('a'), take('a')];
  assert.equal(take('a'), undefined, 'two of one address');
  assert.ok(take('b'));
  assert.equal(take('c'), undefined, 'three in all');
  first?.();
  first?.();
  assert.ok(take('c'));
  assert.equal(take('a'), undefined, 'a place that is given up twice is one place');
  second?.();
  assert.ok(take('a'));
});
