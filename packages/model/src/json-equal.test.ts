import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Json } from './json.ts';
import { jsonEqual } from './json-equal.ts';

const cases: [name: string, a: Json | undefined, b: Json | undefined, want: boolean][] = [
  ['an absent member is an undefined member', { a: undefined }, {}, true],
  ['null is not absent', { a: null }, {}, false],
  ['the order of members is free', { a: 1, b: [2] }, { b: [2], a: 1 }, true],
  ['the order of items counts', [1, 2], [2, 1], false],
  ['a bigint is its number', 5n, 5, true],
  ['a bigint is no string', 5n, '5', false],
  ['a list is no object', [], {}, false],
];
for (const [name, a, b, want] of cases) it(name, () => assert.equal(jsonEqual(a, b), want));
