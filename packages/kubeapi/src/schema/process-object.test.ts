import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Schema } from '@bloomery/model';
import { type Json, type JsonObject, parseJson } from '@bloomery/model';
import fc from 'fast-check';
import { matchesFormat } from './formats.ts';
import { shapeObjectMeta } from './object-meta.ts';
import { processObject, validateScale } from './process-object.ts';
import { unreadableField } from './unreadable-field.ts';

const port: Schema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string' },
    proto: { type: 'string', default: 'tcp' },
  },
};

const spec: { readonly [name: string]: Schema } = {
  size: { type: 'integer', minimum: 0, maximum: 100 },
  ratio: { type: 'number', minimum: 0, exclusiveMinimum: true, multipleOf: 0.5 },
  mode: { type: 'string', enum: ['fast', 'slow'], default: 'slow' },
  note: { type: 'string', minLength: 1, maxLength: 8, pattern: '^[a-z]+$' },
  maybe: { type: 'string', nullable: true, default: 'd' },
  port: { 'x-kubernetes-int-or-string': true },
  when: { type: 'string', format: 'date-time' },
  i32: { type: 'integer', format: 'int32' },
  free: {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
    properties: { a: { type: 'integer', default: 3 } },
  },
  strings: { type: 'object', maxProperties: 2, additionalProperties: { type: 'string' } },
  nested: {
    type: 'object',
    properties: { deep: { type: 'object', default: {}, properties: { n: { type: 'integer', default: 7 } } } },
  },
  tags: { type: 'array', maxItems: 3, 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
  ports: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], items: port },
  one: {
    type: 'object',
    properties: { x: { type: 'string' }, y: { type: 'string' } },
    oneOf: [{ required: ['x'] }, { required: ['y'] }],
  },
  any: {
    type: 'object',
    properties: { x: { type: 'string' }, y: { type: 'string' } },
    anyOf: [{ required: ['x'] }, { required: ['y'] }],
  },
  notz: { type: 'string', not: { enum: ['z'] } },
  emb: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
};
const thing: Schema = {
  type: 'object',
  properties: { spec: { type: 'object', required: ['size'], properties: spec } },
};

const run = (fields: JsonObject) => processObject(thing, { spec: { size: 1, ...fields } });
const texts = (fields: JsonObject): string[] => run(fields).problems.map((p) => `${p.field}|${p.reason}|${p.message}`);

const refused: [name: string, fields: JsonObject, want: string[]][] = [
  [
    'a text where a number belongs',
    { size: '1' },
    ['spec.size|FieldValueTypeInvalid|Invalid value: "string": spec.size in body must be of type integer: "string"'],
  ],
  [
    'a fraction where a whole number belongs',
    { size: 1.5 },
    ['spec.size|FieldValueTypeInvalid|Invalid value: "number": spec.size in body must be of type integer: "number"'],
  ],
  [
    'a number over the maximum',
    { size: 101 },
    ['spec.size|FieldValueInvalid|Invalid value: 101: spec.size in body should be less than or equal to 100'],
  ],
  [
    'a number at an exclusive minimum',
    { ratio: 0 },
    [
      // Whole numbers are held against whole limits, also where that leaves no factor.
      'spec.ratio|FieldValueInvalid|Invalid value: 0: factor MultipleOf declared for spec.ratio must be positive: 0',
      'spec.ratio|FieldValueInvalid|Invalid value: 0: spec.ratio in body should be greater than 0',
    ],
  ],
  [
    'a number that is no multiple',
    { ratio: 0.7 },
    ['spec.ratio|FieldValueInvalid|Invalid value: 0.7: spec.ratio in body should be a multiple of 0.5'],
  ],
  [
    'a text out of the list',
    { mode: 'warp' },
    ['spec.mode|FieldValueNotSupported|Unsupported value: "warp": supported values: "fast", "slow"'],
  ],
  [
    'a text that is too long',
    { note: 'abcdefghi' },
    ['spec.note|FieldValueTooLong|Too long: may not be more than 8 bytes'],
  ],
  [
    'a text that does not match',
    { note: 'AB' },
    ['spec.note|FieldValueInvalid|Invalid value: "AB": spec.note in body should match \'^[a-z]+$\''],
  ],
  [
    'a boolean for int-or-string',
    { port: true },
    [
      'spec.port|FieldValueTypeInvalid|Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
    ],
  ],
  [
    'a date that is none',
    { when: '2026-01-02' },
    [
      'spec.when|FieldValueTypeInvalid|Invalid value: "2026-01-02": spec.when in body must be of type date-time: "2026-01-02"',
    ],
  ],
  [
    'a number for a date',
    { when: 5 },
    ['spec.when|FieldValueTypeInvalid|Invalid value: "int64": spec.when in body must be of type date-time: "int64"'],
  ],
  [
    'a boolean for a formatted number',
    { i32: true },
    ['spec.i32|FieldValueTypeInvalid|Invalid value: "": spec.i32 in body must be of type int32: ""'],
  ],
  [
    'too many members',
    { strings: { a: '1', b: '2', c: '3' } },
    ['spec.strings|FieldValueTooMany|Too many: 3: must have at most 2 items'],
  ],
  [
    'too many items',
    { tags: ['a', 'b', 'c', 'd'] },
    ['spec.tags|FieldValueTooMany|Too many: 4: must have at most 3 items'],
  ],
  [
    'a member of the wrong type',
    { strings: { a: 1 } },
    [
      'spec.strings.a|FieldValueTypeInvalid|Invalid value: "integer": spec.strings.a in body must be of type string: "integer"',
    ],
  ],
  [
    'an item of the wrong type',
    { tags: ['a', null] },
    ['spec.tags[1]|FieldValueTypeInvalid|Invalid value: "null": spec.tags[1] in body must be of type string: "null"'],
  ],
  ['an item twice in a set', { tags: ['a', 'a'] }, ['spec.tags[1]|FieldValueDuplicate|Duplicate value: "a"']],
  [
    'a key twice in a list map',
    { ports: [{ name: 'a' }, { name: 'a' }] },
    ['spec.ports[1]|FieldValueDuplicate|Duplicate value: {"name":"a"}'],
  ],
  [
    'none of the alternatives',
    { one: {} },
    [
      '<nil>|FieldValueInvalid|Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found none valid',
      'spec.one.x|FieldValueRequired|Required value',
    ],
  ],
  [
    'two of exclusive alternatives',
    { one: { x: '1', y: '2' } },
    [
      '<nil>|FieldValueInvalid|Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found 2 valid alternatives',
    ],
  ],
  [
    'none of several',
    { any: {} },
    [
      '<nil>|FieldValueInvalid|Invalid value: "": "spec.any" must validate at least one schema (anyOf)',
      'spec.any.x|FieldValueRequired|Required value',
    ],
  ],
  [
    'what is excluded',
    { notz: 'z' },
    ['<nil>|FieldValueInvalid|Invalid value: "": "spec.notz" must not validate the schema (not)'],
  ],
  [
    'an embedded resource without type',
    { emb: { a: 1 } },
    ['spec.emb.apiVersion|FieldValueRequired|Required value', 'spec.emb.kind|FieldValueRequired|Required value'],
  ],
];

describe('processObject', () => {
  for (const [name, fields, want] of refused) it(`refuses ${name}`, () => assert.deepEqual(texts(fields), want));

  it('refuses an object without a required field', () => {
    assert.deepEqual(processObject(thing, { spec: {} }).problems, [
      { field: 'spec.size', reason: 'FieldValueRequired', message: 'Required value' },
    ]);
  });

  it('fills in defaults, also of items and inside defaults', () => {
    assert.deepEqual(run({ nested: {}, ports: [{ name: 'a' }], free: {} }).object, {
      spec: {
        size: 1,
        nested: { deep: { n: 7 } },
        ports: [{ name: 'a', proto: 'tcp' }],
        free: { a: 3 },
        mode: 'slow',
        maybe: 'd',
      },
    });
  });

  it('drops unknown fields and lists their paths sorted', () => {
    const { object, unknownFields } = run({
      zz: 1,
      ports: [{ name: 'a', y: 1 }],
      nested: { q: 1 },
      free: { kept: { x: null } },
    });
    assert.deepEqual(unknownFields, ['spec.nested.q', 'spec.ports[0].y', 'spec.zz']);
    assert.deepEqual(object, {
      spec: {
        size: 1,
        ports: [{ name: 'a', proto: 'tcp' }],
        nested: { deep: { n: 7 } },
        free: { kept: { x: null }, a: 3 },
        mode: 'slow',
        maybe: 'd',
      },
    });
  });

  it('drops null where it may not be, unless a default stands in', () => {
    const { object, problems } = run({ note: null, mode: null, maybe: null, strings: { a: null } });
    assert.deepEqual(problems, []);
    assert.deepEqual(object, { spec: { size: 1, mode: 'slow', maybe: null, strings: {} } });
  });

  it('refuses null instead of dropping it when asked', () => {
    const { problems } = processObject(thing, { spec: { size: 1, note: null } }, { dropNulls: false });
    assert.deepEqual(
      problems.map((p) => p.message),
      ['Invalid value: "null": spec.note in body must be of type string: "null"'],
    );
  });

  it('returns an object that is in shape as it is', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'Thing',
      metadata: { name: 't' },
      spec: { size: 1, mode: 'fast', maybe: 'x' },
    };
    assert.equal(processObject(thing, object).object, object);
  });

  it('says that rules were not checked when the structure is wrong', () => {
    const ruled: Schema = {
      type: 'object',
      properties: { a: { type: 'string', 'x-kubernetes-validations': [{ rule: 'true' }] } },
    };
    assert.deepEqual(
      processObject(ruled, { a: 1 }).problems.map((p) => p.field),
      ['a', '<nil>'],
    );
  });

  it('treats a member called __proto__ or constructor like any other', () => {
    const object = parseJson(
      '{"spec":{"size":1,"mode":"fast","maybe":"x","strings":{"__proto__":"a","constructor":"b"},"__proto__":{"x":1}}}',
    );
    const { object: shaped, unknownFields } = processObject(thing, object as JsonObject);
    assert.deepEqual(unknownFields, ['spec.__proto__']);
    assert.equal(
      JSON.stringify(shaped),
      '{"spec":{"size":1,"mode":"fast","maybe":"x","strings":{"__proto__":"a","constructor":"b"}}}',
    );
  });

  it('is total and settles: whatever goes in, a second pass changes nothing', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(spec), 'zz'), fc.jsonValue()), (fields) => {
        const first = processObject(thing, { spec: fields as Json });
        const second = processObject(thing, first.object);
        assert.equal(second.object, first.object);
        assert.deepEqual(second.unknownFields, []);
      }),
    );
  });
});

describe('validateScale', () => {
  it('refuses a path that does not lead through objects', () => {
    assert.deepEqual(validateScale({ spec: [1] }, '.spec.replicas'), [
      {
        field: '.spec.replicas',
        reason: 'FieldValueInvalid',
        message:
          'Invalid value: 0: .spec.replicas accessor error: [1] is of the type []interface {}, expected map[string]interface{}',
      },
    ]);
    assert.deepEqual(validateScale({ spec: {} }, '.spec.replicas'), []);
  });
});

describe('shapeObjectMeta', () => {
  it('drops nulls, empty values and unknown fields', () => {
    const shaped = shapeObjectMeta({ name: 'a', creationTimestamp: null, labels: {}, zz: 1, managedFields: [] });
    assert.deepEqual(shaped, { ok: true, metadata: { name: 'a', managedFields: [] }, unknownFields: ['metadata.zz'] });
  });
  it("refuses wrong types with the decoder's text", () => {
    assert.deepEqual(shapeObjectMeta({ labels: { a: 1 } }), {
      ok: false,
      message: 'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    });
  });
  it('never throws', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void shapeObjectMeta(value as Json)));
  });
});

describe('unreadableField', () => {
  const schema: Schema = {
    type: 'object',
    properties: {
      data: { type: 'object', additionalProperties: { type: 'string' } },
      immutable: { type: 'boolean' },
      spec: { type: 'object', properties: { count: { type: 'integer', format: 'int32' } } },
    },
  };
  const cases: [object: JsonObject, want: string | undefined][] = [
    [{ data: { a: '1' }, immutable: null }, undefined],
    [{ data: { a: 1 } }, 'json: cannot unmarshal number into Go struct field K.data of type string'],
    [{ data: [] }, 'json: cannot unmarshal array into Go struct field K.data of type map[string]string'],
    [{ immutable: 'x' }, 'json: cannot unmarshal string into Go struct field K.immutable of type bool'],
    [{ spec: { count: true } }, 'json: cannot unmarshal bool into Go struct field KSpec.spec.count of type int32'],
  ];
  for (const [object, want] of cases) {
    it(JSON.stringify(object), () => assert.equal(unreadableField(schema, object, 'K'), want));
  }
});

describe('formats', () => {
  const good: [string, string][] = [
    ['date-time', '2026-01-02T03:04:05.123Z'],
    ['date-time', '2026-01-02T03:04:05+01:00'],
    ['date', '2024-02-29'],
    ['duration', '1h30m'],
    ['duration', '3 days'],
    ['duration', '0'],
    ['byte', 'eA=='],
    ['ipv4', '10.0.0.1'],
    ['ipv6', 'fd00::1'],
    ['cidr', '10.0.0.0/8'],
    ['cidr', 'fd00::/64'],
    ['mac', '00:11:22:aa:bb:cc'],
    ['mac', '0011.22aa.bbcc'],
    ['uri', 'http://a/b'],
    ['uri', '/a'],
    ['hostname', 'a.example'],
    ['email', 'a@b.c'],
    ['uuid', '6f2ef2b2-1d1a-4b5a-9e5c-6a2f0a5b8f3d'],
    ['uuid4', '6f2ef2b2-1d1a-4b5a-9e5c-6a2f0a5b8f3d'],
    ['something-else', 'x'],
  ];
  const bad: [string, string][] = [
    ['date-time', '2026-01-02'],
    ['date-time', '2026-13-02T00:00:00Z'],
    ['date', '2023-02-29'],
    ['duration', 'soon'],
    ['duration', ''],
    ['byte', 'eA='],
    ['byte', 'a b='],
    ['ipv4', '1.2.3'],
    ['ipv4', 'fd00::1'],
    ['ipv6', '1.2.3.4'],
    ['cidr', '10.0.0.0'],
    ['cidr', '10.0.0.0/33'],
    ['mac', '00:11:22'],
    ['mac', 'zz:11:22:aa:bb:cc'],
    ['uri', 'not a uri'],
    ['hostname', '-a'],
    ['email', 'ab'],
    ['uuid', 'x'],
    ['uuid5', '6f2ef2b2-1d1a-4b5a-9e5c-6a2f0a5b8f3d'],
  ];
  for (const [format, text] of good)
    it(`${format} takes ${text}`, () => assert.equal(matchesFormat(format, text), true));
  for (const [format, text] of bad)
    it(`${format} refuses "${text}"`, () => assert.equal(matchesFormat(format, text), false));
});

describe('defaults', () => {
  const item: Schema = { type: 'object', properties: { fill: { type: 'string', default: 'x'.repeat(1000) } } };
  const full: Schema = { type: 'object', properties: { list: { type: 'array', items: item } } };
  const bulk = (length: number): JsonObject => ({ list: Array.from({ length }, () => ({})) });

  it('are filled in up to a bound, and it is told where they end', () => {
    assert.equal(processObject(full, bulk(1000)).defaultsEnd, false);
    const { object, defaultsEnd } = processObject(full, bulk(100_000));
    assert.equal(defaultsEnd, true);
    const { length } = JSON.stringify(object);
    assert.ok(length < 2 * 1024 * 1024, `${length} characters`);
  });

  it('that stand in for nulls count too', () => {
    const items: Schema = { type: 'string', default: 'y'.repeat(1000) };
    const nulls: Schema = { type: 'object', properties: { list: { type: 'array', items } } };
    assert.equal(processObject(nulls, { list: Array.from({ length: 5000 }, () => null) }).defaultsEnd, true);
  });
});
