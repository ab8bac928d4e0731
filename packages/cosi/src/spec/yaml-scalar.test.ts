import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { yamlKey, yamlText } from './yaml-scalar.ts';

/** Text and what Go's encoder prints for it, in a block that is indented by four columns. */
const cases: readonly (readonly [text: string, yaml: string])[] = [
  ['plain', 'plain'],
  ['two words', 'two words'],
  ['UP,BROADCAST', 'UP,BROADCAST'],
  ['/etc/resolv.conf', '/etc/resolv.conf'],
  ['é', 'é'],
  ['1.2.3.4', '1.2.3.4'],
  ['fd00::1', 'fd00::1'],
  ['00:16:3e:00:00:0a', '00:16:3e:00:00:0a'],
  ['_0', '_0'],
  ['-a', '-a'],
  ['a#b', 'a#b'],
  ['', '""'],
  ['~', '"~"'],
  ['null', '"null"'],
  ['true', '"true"'],
  ['yes', '"yes"'],
  ['On', '"On"'],
  ['n', '"n"'],
  ['0', '"0"'],
  ['1_000', '"1_000"'],
  ['0x1f', '"0x1f"'],
  ['017', '"017"'],
  ['1e3', '"1e3"'],
  ['.5', '".5"'],
  ['.NaN', '".NaN"'],
  ['-.inf', '"-.inf"'],
  ['1:30', '"1:30"'],
  ['52:54:00:12:34:56', '"52:54:00:12:34:56"'],
  ['2026-01-02', '"2026-01-02"'],
  ['2026-01-02T03:04:05Z', '"2026-01-02T03:04:05Z"'],
  ['<<', '"<<"'],
  ['[::1]:53', "'[::1]:53'"],
  ['- a', "'- a'"],
  ['a: b', "'a: b'"],
  ['a #b', "'a #b'"],
  ['a:', "'a:'"],
  ["it's: so", "'it''s: so'"],
  [' a', "' a'"],
  ['a ', "'a '"],
  ['*', "'*'"],
  ['---', "'---'"],
  ['a\tb', '"a\\tb"'],
  ['a\u0000b', '"a\\0b"'],
  ['a\u001bb', '"a\\eb"'],
  ['\u{1f600}', '"\\U0001F600"'],
  ['a\nb', '|-\n    a\n    b'],
  ['a\nb\n', '|\n    a\n    b'],
  ['a\n\n\n', '|+\n    a\n\n'],
  ['\na', '|-\n\n    a'],
  ['\n a', '|4-\n\n     a'],
  ['a\u0085b', '"a\\Nb"'],
  ['a\u2028b', '"a\\Lb"'],
  [' a\nb', '|4-\n     a\n    b'],
  ['a \nb', '"a \\nb"'],
  ['\n', '"\\n"'],
  ['\n\t', '"\\n\\t"'],
];

describe('text in YAML', () => {
  for (const [text, yaml] of cases)
    it(`${JSON.stringify(text)} is ${JSON.stringify(yaml)}`, () => assert.equal(yamlText(text, 4), yaml));

  it('reads back as the same text, as a value and as a key', () => {
    const characters = fc.constantFrom(...'abyn01:.-_+# \n"\'{}[]&*!|>%@`?,=~<\t\\é\u0000\u0085\u2028\ufeff');
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 12 }), (text) => {
        assert.equal(parse(`key:\n    nested: ${yamlText(text, 8)}\n`).key.nested, text);
        assert.deepEqual(Object.keys(parse(`? ${yamlKey(text)}\n: 1\n`)), [text]);
      }),
      { numRuns: 2000 },
    );
  });
});
