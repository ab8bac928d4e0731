import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject, Schema } from '@bloomery/model';
import fc from 'fast-check';
import { fieldsV1Text } from './field-set.ts';
import { fieldSetOf } from './field-set-of.ts';
import { objectSchema } from './field-type.ts';
import { leastOwnedBytes } from './least-owned-bytes.ts';

const set: Schema = { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } };
const row: Schema = { type: 'object', properties: { id: { type: 'string' }, tags: set } };
const rows: Schema = {
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['id'],
  items: row,
};
const plain: Schema = { type: 'array', items: { type: 'string' } };
const schema: Schema = {
  type: 'object',
  properties: { spec: { type: 'object', properties: { set, rows, plain } }, status: set },
};
const none = (): boolean => false;

describe('leastOwnedBytes', () => {
  it('is never more than what managedFields take', () => {
    const texts = fc.array(fc.string({ unit: 'grapheme' }));
    const spec = fc.record({ set: texts, plain: texts, rows: fc.array(fc.record({ id: fc.string(), tags: texts })) });
    const property = fc.property(spec, (value) => {
      const object: JsonObject = { spec: value };
      const text = fieldsV1Text(fieldSetOf(objectSchema(schema), object));
      assert.ok(leastOwnedBytes(schema, undefined, object, none) <= Buffer.byteLength(text));
    });
    fc.assert(property);
  });

  it('counts what is new only, and nothing of what the request cannot change', () => {
    const object: JsonObject = { spec: { set: ['a', 'b'], plain: ['c'] }, status: ['d'] };
    const one = '"v:\\"a\\"":{},'.length;
    assert.equal(leastOwnedBytes(schema, undefined, object, none), 3 * one);
    assert.equal(
      leastOwnedBytes(schema, { spec: { set: ['b'] } }, object, (name) => name === 'status'),
      one,
    );
    assert.equal(leastOwnedBytes(schema, object, object, none), 0);
  });
});
