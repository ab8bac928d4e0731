import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Json, JsonObject, Schema } from '@bloomery/model';
import fc from 'fast-check';
import { crdProblems } from '../registry/crd/index.ts';
import { matchesFormat } from './formats.ts';
import { matchesPattern } from './pattern.ts';
import { processObject } from './process-object.ts';

const NAMES = ['a', 'b', 'k', 'metadata', 'kind', '__proto__', 'constructor', 'toString', 'a-b', 'namespace'];
const name = fc.constantFrom(...NAMES);
const FORMATS = [
  'date-time',
  'date',
  'duration',
  'byte',
  'ipv4',
  'ipv6',
  'cidr',
  'mac',
  'uri',
  'hostname',
  'email',
  'uuid',
  'int32',
  'none',
];
const RULES = [
  'self == oldSelf',
  'has(self.a)',
  'self.size() > 0',
  'self.all(x, x == x)',
  'self > 1',
  "self.a == 'x'",
  'self[0] == 1',
  'self',
];

const value: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4 }),
  ),
})).value;

const limits = fc.record(
  {
    nullable: fc.boolean(),
    default: value,
    enum: fc.array(value, { maxLength: 3 }),
    pattern: fc.constantFrom('^a+$', '(a+)+$', '(?i)x', '(', '\\pN', '\\z', '[[:alpha:]]'),
    format: fc.constantFrom(...FORMATS),
    minimum: fc.integer({ min: -5, max: 5 }),
    multipleOf: fc.constantFrom(0.1, 1, 3, 0),
    maxLength: fc.nat(5),
    minItems: fc.nat(3),
    uniqueItems: fc.boolean(),
    maxProperties: fc.nat(3),
    'x-kubernetes-preserve-unknown-fields': fc.boolean(),
    'x-kubernetes-embedded-resource': fc.boolean(),
    'x-kubernetes-int-or-string': fc.boolean(),
    'x-kubernetes-list-type': fc.constantFrom('atomic', 'set', 'map'),
    'x-kubernetes-list-map-keys': fc.array(name, { maxLength: 2 }),
    'x-kubernetes-validations': fc.array(fc.record({ rule: fc.constantFrom(...RULES) }), { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

const schema: fc.Arbitrary<Schema> = fc.letrec<{ schema: Schema }>((tie) => ({
  schema: fc
    .tuple(
      fc.constantFrom('object', 'array', 'string', 'integer', 'number', 'boolean', undefined),
      limits,
      fc.oneof(
        { maxDepth: 3 },
        fc.constant({}),
        fc.record({ properties: fc.dictionary(name, tie('schema'), { maxKeys: 4 }) }),
        fc.record({ items: tie('schema') }),
        fc.record({ additionalProperties: fc.oneof(fc.boolean(), tie('schema')) }),
        fc.record({ anyOf: fc.array(tie('schema'), { maxLength: 2 }), not: tie('schema') }),
        fc.record({
          oneOf: fc.array(tie('schema'), { maxLength: 2 }),
          allOf: fc.array(tie('schema'), { maxLength: 2 }),
        }),
      ),
    )
    .map(([type, some, parts]) => ({ ...(type === undefined ? {} : { type }), ...some, ...parts }) as Schema),
})).schema;

const objects = fc.dictionary(name, value, { maxKeys: 5 });

describe('any schema and any value', () => {
  it('give an answer: an object and a list of problems', () => {
    fc.assert(
      fc.property(schema, objects, fc.option(objects, { nil: undefined }), (given, object, old) => {
        const root: Schema = { ...given, type: 'object' };
        const result = processObject(root, object as JsonObject, { old: old as JsonObject | undefined });
        assert.ok(Array.isArray(result.problems));
      }),
      { numRuns: 600 },
    );
  });

  it('give the same object when it is processed again', () => {
    fc.assert(
      fc.property(schema, objects, (given, object) => {
        const root: Schema = { ...given, type: 'object' };
        const once = processObject(root, object as JsonObject, { validate: false }).object;
        const twice = processObject(root, once, { validate: false }).object;
        assert.deepEqual(twice, once);
      }),
      { numRuns: 300 },
    );
  });

  it('are judged as a CustomResourceDefinition, whatever they hold', () => {
    fc.assert(
      fc.property(schema, value, (given, other) => {
        const version = (openAPIV3Schema: unknown) => ({
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema },
        });
        const spec = (openAPIV3Schema: unknown) =>
          ({ group: 'g.test', versions: [version(openAPIV3Schema)] }) as JsonObject;
        crdProblems({ metadata: { name: 'x' }, spec: spec(given) }, undefined);
        crdProblems(
          {
            metadata: { name: 'x' },
            spec: spec({ type: 'object', properties: { a: other }, items: other, allOf: other }),
          },
          undefined,
        );
        crdProblems(
          { spec: { versions: other, names: other, conversion: other, group: other } } as JsonObject,
          undefined,
        );
        crdProblems({ spec: other } as JsonObject, { spec: {}, status: other } as JsonObject);
      }),
      { numRuns: 400 },
    );
  });

  it('of formats and patterns: any text is one or is not', () => {
    fc.assert(
      fc.property(fc.constantFrom(...FORMATS), fc.string({ unit: 'binary' }), (format, text) => {
        assert.equal(typeof matchesFormat(format, text), 'boolean');
        assert.equal(typeof matchesPattern(text, text), 'boolean');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('patterns', () => {
  const CASES: readonly (readonly [pattern: string, text: string, want: boolean])[] = [
    ['(?i)^abc$', 'ABC', true],
    ['^a\\z', 'a\n', false],
    ['^\\pL+$', 'é', true],
    ['^\\p{Greek}$', 'α', true],
    ['^[[:alpha:]]+$', 'ab1', false],
    ['^(?P<name>a)$', 'a', true],
    ['^.$', '😀', true],
    ['^\\x{1F600}$', '😀', true],
    ['\\Aa', 'ba', false],
    ['(?s)a.b', 'a\nb', true],
    ['a.b', 'a\nb', false],
    ['(?=a)', 'a', false],
    ['(a)\\1', 'aa', false],
    ['(', '(', false],
  ];
  for (const [pattern, text, want] of CASES) {
    it(`are RE2: ${pattern}`, () => assert.equal(matchesPattern(pattern, text), want));
  }

  it('take time linear to the text, whatever they are', () => {
    const text = `${'a'.repeat(50_000)}!`;
    for (const pattern of ['^(a+)+$', '^(a|aa)+$', '(.*)*x', '(x+x+)+y'])
      assert.equal(matchesPattern(pattern, text), false);
  });
});

describe('formats', () => {
  const enforced = FORMATS.filter((format) => format !== 'int32' && format !== 'none');
  for (const format of enforced) {
    it(`take time linear to the text as well: ${format}`, () => {
      for (const piece of ['1', '1 ', 'a', 'a.', ':', '-', '.', ' ', '<', '@', '1h', '%', '0:', 'a@']) {
        assert.equal(matchesFormat(format, `${piece.repeat(100_000)}!\n`), false);
      }
    });
  }
});
