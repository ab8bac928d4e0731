import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FieldProblem, Json, JsonObject, Schema } from '@bloomery/model';
import { processObject } from '../process-object.ts';

const rule = (text: string, more: JsonObject = {}) => ({ rule: text, ...more });
const text = (more: Schema = {}): Schema => ({ type: 'string', ...more });
const rules = (...list: readonly JsonObject[]): Schema => ({ 'x-kubernetes-validations': list });

const SCHEMA: Schema = {
  type: 'object',
  ...rules(rule("self.metadata.name != 'forbidden'", { message: 'not this name' })),
  properties: {
    spec: {
      type: 'object',
      ...rules(
        rule('!has(self.size) || self.size > 0'),
        rule("!has(self.name) || self.name != 'secret'", {
          messageExpression: "'never ' + self.name",
          reason: 'FieldValueForbidden',
          fieldPath: '.name',
        }),
        rule('!has(oldSelf.fixed) || (has(self.fixed) && self.fixed == oldSelf.fixed)', { message: 'fixed is fixed' }),
        rule("oldSelf.hasValue() || !has(self.name) || self.name != 'late'", {
          optionalOldSelf: true,
          message: 'not at first',
        }),
        rule('!has(self.other__dash__name) || self.other__dash__name != self.__namespace__'),
        rule("!has(self.port) || (type(self.port) == int ? self.port > 0 : self.port == 'http')"),
        rule("!has(self.embedded) || self.embedded.metadata.name == 'e'"),
        rule("!has(self.maybe) || self.maybe == null || self.maybe != 'x'"),
      ),
      properties: {
        size: { type: 'integer' },
        name: text(),
        fixed: text(),
        'other-name': text(),
        namespace: text(),
        port: { 'x-kubernetes-int-or-string': true },
        maybe: text({ nullable: true }),
        embedded: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          'x-kubernetes-preserve-unknown-fields': true,
        },
        plain: { type: 'array', items: text(rules(rule("self != 'bad'", { message: 'no bad' }))) },
        map: {
          type: 'object',
          additionalProperties: { type: 'integer', ...rules(rule('self >= oldSelf'), rule('self < 9')) },
        },
        keyed: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
          items: {
            type: 'object',
            required: ['k'],
            properties: { k: text(), v: { type: 'integer' } },
            ...rules(rule('self.v >= oldSelf.v', { message: 'v only grows' })),
          },
        },
      },
    },
  },
};

function problems(spec: JsonObject, old?: JsonObject, name = 'a'): readonly string[] {
  const whole = (part: JsonObject): JsonObject => ({ apiVersion: 'g/v1', kind: 'K', metadata: { name }, spec: part });
  const found = processObject(SCHEMA, whole(spec), { old: old === undefined ? undefined : whole(old) }).problems;
  return found.map(({ field, message }: FieldProblem) => `${field}: ${message}`);
}

const CASES: readonly (readonly [
  name: string,
  spec: JsonObject,
  old: JsonObject | undefined,
  want: readonly string[],
])[] = [
  ['what holds is fine', { size: 1, name: 'x', port: 80 }, undefined, []],
  [
    'a rule without a message tells itself',
    { size: 0 },
    undefined,
    ['spec: Invalid value: "object": failed rule: !has(self.size) || self.size > 0'],
  ],
  ['reason, path and message may be given', { name: 'secret' }, undefined, ['spec.name: Forbidden: never secret']],
  ['a transition is not judged on create', { fixed: 'a' }, undefined, []],
  [
    'a transition is judged on update',
    { fixed: 'b' },
    { fixed: 'a' },
    ['spec: Invalid value: "object": fixed is fixed'],
  ],
  [
    'an optional old value is judged on create as well',
    { name: 'late' },
    undefined,
    ['spec: Invalid value: "object": not at first'],
  ],
  ['and sees the old value on update', { name: 'late' }, { name: 'x' }, []],
  [
    'names are escaped',
    { 'other-name': 'n', namespace: 'n' },
    undefined,
    [
      'spec: Invalid value: "object": failed rule: !has(self.other__dash__name) || self.other__dash__name != self.__namespace__',
    ],
  ],
  [
    'an int or string is either',
    { port: 'https' },
    undefined,
    [
      'spec: Invalid value: "object": failed rule: !has(self.port) || (type(self.port) == int ? self.port > 0 : self.port == \'http\')',
    ],
  ],
  [
    'an embedded resource shows its name',
    { embedded: { apiVersion: 'v1', kind: 'X', metadata: { name: 'f' } } },
    undefined,
    ['spec: Invalid value: "object": failed rule: !has(self.embedded) || self.embedded.metadata.name == \'e\''],
  ],
  ['null is a value where it may be one', { maybe: null }, undefined, []],
  [
    'items are judged by themselves',
    { plain: ['a', 'bad'] },
    undefined,
    ['spec.plain[1]: Invalid value: "string": no bad'],
  ],
  [
    'values of maps as well',
    { map: { a: 1, 'b.c': 9 } },
    undefined,
    ['spec.map[b.c]: Invalid value: "integer": failed rule: self < 9'],
  ],
  [
    'values of maps know their old value',
    { map: { a: 1, b: 1 } },
    { map: { a: 2 } },
    ['spec.map[a]: Invalid value: "integer": failed rule: self >= oldSelf'],
  ],
  [
    'items of map lists know theirs, wherever they stand',
    {
      keyed: [
        { k: 'z', v: 0 },
        { k: 'a', v: 1 },
      ],
    },
    { keyed: [{ k: 'a', v: 2 }] },
    ['spec.keyed[1]: Invalid value: "object": v only grows'],
  ],
  [
    'a failure names the rule',
    { keyed: [{ k: 'a' }] },
    { keyed: [{ k: 'a', v: 2 }] },
    ['spec.keyed[0]: Invalid value: "object": no such key: v evaluating rule: v only grows'],
  ],
  [
    'what was wrong before and has not changed is let pass',
    { plain: ['bad'], size: 2 },
    { plain: ['bad'], size: 1 },
    [],
  ],
  [
    'what has changed is judged',
    { plain: ['bad', 'a'] },
    { plain: ['bad'] },
    ['spec.plain[0]: Invalid value: "string": no bad'],
  ],
];

describe('rules of a schema', () => {
  for (const [name, spec, old, want] of CASES) it(name, () => assert.deepEqual(problems(spec, old), want));

  it('see the name of the whole object, and report no field', () => {
    assert.deepEqual(problems({}, undefined, 'forbidden'), ['<nil>: Invalid value: "object": not this name']);
  });

  it('are not asked while the structure is wrong', () => {
    const [first, second] = problems({ size: 'x' });
    assert.match(String(first), /^spec\.size: Invalid value: "string"/);
    assert.match(String(second), /^<nil>: Invalid value: null: some validation rules were not checked/);
  });

  it('stop when their work grows out of bounds', () => {
    const numbers = Array.from({ length: 2000 }, (_, i) => i);
    const items: Schema = { type: 'array', items: { type: 'integer' } };
    const all = 'self.l.all(a, self.l.all(b, self.l.all(c, a + b + c >= 0)))';
    const schema: Schema = {
      type: 'object',
      properties: { spec: { type: 'object', properties: { l: items }, ...rules(rule(all), rule(all)) } },
    };
    const { problems: found } = processObject(schema, { spec: { l: numbers as Json } });
    assert.equal(found.length, 1);
    assert.match(String(found[0]?.message), /actual cost limit exceeded: no further validation rules will be run$/);
  });
});

describe('validation of an update', () => {
  const limits: Schema = {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          color: { type: 'string', enum: ['red'] },
          size: { type: 'integer', maximum: 5 },
          tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
          keyed: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['k'],
            items: { type: 'object', properties: { k: { type: 'string' }, v: { type: 'integer', maximum: 5 } } },
          },
        },
      },
    },
  };
  const judge = (spec: JsonObject, old: JsonObject): readonly string[] =>
    processObject(limits, { spec }, { old: { spec: old } }).problems.map(({ field }) => field);

  it('lets pass what was invalid before, as long as it stays the same', () => {
    assert.deepEqual(judge({ color: 'blue', size: 1 }, { color: 'blue' }), []);
    assert.deepEqual(judge({ color: 'green' }, { color: 'blue' }), ['spec.color']);
    assert.deepEqual(judge({ color: 'blue', size: 9 }, { color: 'blue' }), ['spec.size']);
  });

  it('finds items of map lists by their keys', () => {
    assert.deepEqual(
      judge(
        {
          keyed: [
            { k: 'b', v: 1 },
            { k: 'a', v: 9 },
          ],
        },
        { keyed: [{ k: 'a', v: 9 }] },
      ),
      [],
    );
    assert.deepEqual(judge({ keyed: [{ k: 'a', v: 8 }] }, { keyed: [{ k: 'a', v: 9 }] }), ['spec.keyed[0].v']);
  });

  it('lets duplicates pass where there were some', () => {
    assert.deepEqual(judge({ tags: ['a', 'a'], size: 1 }, { tags: ['a', 'a'] }), []);
    assert.deepEqual(judge({ tags: ['a', 'a'] }, { tags: ['a'] }), ['spec.tags[1]']);
  });
});
