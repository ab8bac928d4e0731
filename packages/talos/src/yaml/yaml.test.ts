import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { parse } from 'yaml';
import { kubeJson, readYaml, talosJson, writeYaml, type YamlTree } from './index.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
const params = { seed, numRuns: 2_000, interruptAfterTimeLimit: 20_000 };

const scalars = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }).map((s) => s.toWellFormed()),
  fc.constantFrom(
    'yes',
    'n',
    '0644',
    '0o17',
    '1e3',
    '1_0',
    '.inf',
    '2026-01-01',
    '12:30:45',
    '~',
    'null',
    '',
    ' x',
    'x ',
    'a: b',
    'a #b',
    '- a',
    '*a',
    '&a',
    '!a',
    '%a',
    '@a',
    '`a',
    '{',
    '[',
    '?',
    '|',
    '>',
    '<<',
    '=',
    'a\nb',
    'a\n\n',
    '\n',
    'a\n b\n',
    '\ta',
    "it's",
    '"q"',
    '---',
    '...',
    'no:',
    ':x',
    '\u0085',
    '\u2028',
    '\ufeff',
    '😀',
    '1:2',
    '0x',
    '-',
  ),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map((n) => (Number.isSafeInteger(Number(n)) ? Number(n) : n)),
  fc.boolean(),
  fc.constant(null),
);
const trees: fc.Arbitrary<YamlTree> = fc.letrec<{ tree: YamlTree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    scalars,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 8 }), tie('tree'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).tree;

describe('YAML', () => {
  it('is read back as it was written, by us in both dialects', (t) => {
    t.diagnostic(`SEED=${seed}`);
    fc.assert(
      fc.property(trees, (tree) => {
        const text = writeYaml(tree);
        assert.deepEqual(readYaml(text).map(kubeJson), [tree]);
        assert.deepEqual(readYaml(text).map(talosJson), [tree]);
      }),
      params,
    );
  });

  it('keeps strings strings for readers of YAML 1.1 and 1.2', () => {
    fc.assert(
      fc.property(scalars, (value) => {
        if (typeof value !== 'string') return;
        const text = writeYaml({ key: value });
        for (const version of ['1.1', '1.2'] as const) assert.deepEqual(parse(text, { version }), { key: value }, text);
      }),
      params,
    );
  });

  it('keeps plain scalars as they were written', () => {
    const text = 'a: yes\nb: 0644\nc: 1.0\nd: "0123"\ne: 12345678901234567890\nf: 2026-01-01\n';
    assert.deepEqual(readYaml(text).map(writeYaml), [text]);
  });

  it('with keys that JavaScript treats specially is only data', () => {
    const [tree] = readYaml('__proto__: {a: 1}\nconstructor: b\n');
    assert.deepEqual(Object.entries(tree as object), [
      ['__proto__', { a: 1 }],
      ['constructor', 'b'],
    ]);
    assert.equal(readYaml(writeYaml(tree ?? null)).length, 1);
  });

  it('expands anchors and merge keys', () => {
    assert.deepEqual(readYaml('a: &x {p: 1, q: 2}\nb: *x\nc: {<<: *x, q: 3}\nd: {<<: [*x, {r: 4}]}\n'), [
      { a: { p: 1, q: 2 }, b: { p: 1, q: 2 }, c: { q: 3, p: 1 }, d: { p: 1, q: 2, r: 4 } },
    ]);
  });

  const hostile: readonly [name: string, text: string][] = [
    ['a duplicate key', 'a: 1\na: 2'],
    [
      'an alias bomb',
      `a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n${Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${new Array(10).fill(`*a${i}`).join(', ')}]\n`).join('')}`,
    ],
    ['a recursive alias', 'a: &a [*a]'],
    ['deep flow lists', '['.repeat(100_000)],
    ['deep flow lists with text between', '[a, '.repeat(20_000)],
    ['deep block lists', '- '.repeat(50_000)],
    ['deep mappings', Array.from({ length: 1_500 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['an unknown alias', 'a: *b'],
    ['too much text', `# ${'x'.repeat(5 << 20)}`],
    ['a mapping as key', '{a: b}: c'],
  ];
  for (const [name, text] of hostile) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => readYaml(text),
        (error) => isBloomeryError(error, 'BLM_TALOS_CONFIG_INVALID') && error.message.length < 500,
      );
    });
  }

  it('never fails otherwise, whatever the text', () => {
    const pieces = fc.constantFrom(
      'a',
      ': ',
      '- ',
      '\n',
      ' ',
      '  ',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '|',
      '>',
      '&a ',
      '*a',
      '!',
      '!!int ',
      '<<: ',
      '?',
      ',',
      '#',
      '---\n',
      '...\n',
      '%',
      '\t',
      '1',
      '0x',
      '\\',
      '\u0000',
      '\r',
    );
    const text = fc.oneof(
      fc.array(pieces, { maxLength: 40 }).map((p) => p.join('')),
      fc.string({ unit: 'binary', maxLength: 60 }),
    );
    fc.assert(
      fc.property(text, (source) => {
        try {
          readYaml(source);
        } catch (error) {
          assert.ok(isBloomeryError(error), String(error));
        }
      }),
      { ...params, numRuns: 10_000 },
    );
  });
});
