import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject, Schema } from '@bloomery/model';
import fc from 'fast-check';
import { deepFreeze } from '../api-object.ts';
import { compareObjects } from './compare.ts';
import { fieldsV1Text, isEmptySet, parseFieldsV1, pathsOf } from './field-set.ts';
import { sharedFieldsV1, sharedSetOf } from './shared-fields.ts';

const schema: Schema = {
  type: 'object',
  properties: {
    plain: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } },
    atomic: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: { type: 'string' } },
    set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    map: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: { type: 'string' }, value: { type: 'string' } } },
    },
    list: { type: 'array', items: { type: 'string' } },
  },
  additionalProperties: {},
};

const word = fc.constantFrom('x', 'y', 'a/b', '"q', '.', '');
const words = fc.dictionary(fc.constantFrom('a', 'b', 'toString', '.', '"q'), word, { maxKeys: 3 });
const objects: fc.Arbitrary<JsonObject> = fc.record(
  {
    plain: fc.record({ a: word, b: word }, { requiredKeys: [] }),
    atomic: words,
    set: fc.array(word, { maxLength: 3 }),
    map: fc.array(fc.record({ name: word, value: word }, { requiredKeys: ['name'] }), { maxLength: 3 }),
    list: fc.array(word, { maxLength: 2 }),
    other: fc.oneof(word, words, fc.constant(null)),
  },
  { requiredKeys: [] },
);
const both = fc.tuple(objects, objects);

describe('the comparison of two objects', () => {
  it('finds nothing between equal ones', () => {
    fc.assert(
      fc.property(objects, (object) => {
        const { added, removed, modified } = compareObjects(schema, object, structuredClone(object));
        assert.ok([added, removed, modified].every(isEmptySet));
      }),
    );
  });

  it('is the same seen from the other side', () => {
    fc.assert(
      fc.property(both, ([one, other]) => {
        const there = compareObjects(schema, one, other);
        const back = compareObjects(schema, other, one);
        assert.deepEqual(pathsOf(there.added), pathsOf(back.removed));
        assert.deepEqual(pathsOf(there.removed), pathsOf(back.added));
        assert.deepEqual(pathsOf(there.modified), pathsOf(back.modified));
      }),
    );
  });

  it('tells members, set items and list-map items apart by path', () => {
    const before = { plain: { a: '1' }, set: ['x'], map: [{ name: 'n', value: '1' }], atomic: { k: '1' } };
    const after = { plain: { a: '2', b: '' }, set: ['y'], map: [{ name: 'n', value: '2' }], atomic: { k: '2' } };
    const { added, removed, modified } = compareObjects(schema, before, after);
    assert.equal(fieldsV1Text(added), '{"f:plain":{"f:b":{}},"f:set":{"v:\\"y\\"":{}}}');
    assert.equal(fieldsV1Text(removed), '{"f:set":{"v:\\"x\\"":{}}}');
    assert.equal(
      fieldsV1Text(modified),
      '{"f:atomic":{},"f:map":{"k:{\\"name\\":\\"n\\"}":{"f:value":{}}},"f:plain":{"f:a":{}}}',
    );
  });
});

describe('the FieldsV1 of equal sets', () => {
  it('is one frozen object, from which the same set is read', () => {
    fc.assert(
      fc.property(objects, (object) => {
        const set = compareObjects(schema, {}, object).added;
        const again = compareObjects(schema, {}, structuredClone(object)).added;
        const printed = sharedFieldsV1(set);
        assert.equal(sharedFieldsV1(again), printed);
        assert.ok(Object.isFrozen(printed));
        assert.deepEqual(printed, JSON.parse(fieldsV1Text(set)));
        const copy = deepFreeze(structuredClone(printed));
        for (const form of [printed, copy]) {
          const read = sharedSetOf(form);
          assert.ok(read !== undefined);
          assert.deepEqual(pathsOf(read), pathsOf(set));
          assert.equal(sharedFieldsV1(read), printed);
        }
        assert.deepEqual(pathsOf(parseFieldsV1(printed) ?? set), pathsOf(set));
      }),
    );
  });

  it('is not remembered for what somebody may still change', () => {
    const sent: { [name: string]: JsonObject } = { 'f:spec': { 'f:never-seen-before': {} } };
    assert.deepEqual(pathsOf(sharedSetOf(sent) ?? { owned: false, children: new Map() }), [
      ['f:spec', 'f:never-seen-before'],
    ]);
    sent['f:more'] = {};
    assert.equal(pathsOf(sharedSetOf(sent) ?? { owned: false, children: new Map() }).length, 2);
    assert.equal(sharedSetOf({ nonsense: {} }), undefined);
  });
});
