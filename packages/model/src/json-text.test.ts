import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseJson, stringifyJson } from './json-text.ts';

const cases: [name: string, text: string][] = [
  ['an int64 beyond what a double holds', '{"bytes":9223372036854775807}'],
  ['a negative one', '[-9007199254740993]'],
  ['small numbers, floats and exponents', '{"a":1,"b":0.5,"c":-2,"d":1e+300}'],
  ['long digits inside a string', '{"id":"12345678901234567890"}'],
  [
    'long digits inside a string, where a number could begin',
    '{"id":"at :12345678901234567890","n":[9007199254740993]}',
  ],
  ['a member called __proto__', '{"__proto__":{"a":1}}'],
];

describe('JSON text', () => {
  for (const [name, text] of cases) {
    it(`survives a round trip: ${name}`, () => assert.equal(stringifyJson(parseJson(text)), text));
  }

  it('gives a bigint only where a number would lose digits', () => {
    assert.deepEqual(parseJson('[9007199254740993,9007199254740991,1000000000000000.5]'), [
      9007199254740993n,
      9007199254740991,
      1000000000000000.5,
    ]);
  });

  it('refuses what is not JSON', () => {
    assert.throws(() => parseJson('{"a":12345678901234567890'), SyntaxError);
    assert.throws(() => parseJson(''), SyntaxError);
  });

  it('keeps every 64-bit integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }), (value) => {
        for (const text of [`{"v":[${value}]}`, `{"v":${value}}`, `[1,${value}]`, `${value}`]) {
          assert.equal(stringifyJson(parseJson(text)), text);
        }
        assert.equal(stringifyJson(parseJson(`[ 1 ,\n\t${value} ]`)), `[1,${value}]`);
      }),
    );
  });
});
