import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { countMembers, outlineJson, repeatedFields } from './json-members.ts';

describe('fields that JSON gives twice', () => {
  it('are named in the order in which they come again', () => {
    const text =
      '{"metadata":{"labels":{"a":"1","a":"2"}},"spec":{"size":1,"size":2,"list":["a"],"list":["b"],' +
      '"other":{"name":"x","name":"y"},"ml":[{"k":"a"},{"k":"a","k":"b"}],"zz":1,"zz":2},"spec":{"size":3}}';
    const wanted = [
      'metadata.labels.a',
      'spec.size',
      'spec.list',
      'spec.other.name',
      'spec.ml[1].k',
      'spec.zz',
      'spec',
    ];
    assert.deepEqual(repeatedFields(text), wanted);
  });

  it('are the same name however it is escaped', () => {
    assert.deepEqual(repeatedFields('{"a":1,"\\u0061":2,"b:{":[":",{"x":1}]}'), ['a']);
  });

  it('are counted: only a text with more members than its value has any', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, pretty) => {
        const text = JSON.stringify(value, null, pretty ? 2 : 0);
        assert.equal(outlineJson(text, 1000).members, countMembers(JSON.parse(text)));
        assert.deepEqual(repeatedFields(text), []);
      }),
    );
  });

  it('are at most a hundred', () => {
    const members = Array.from({ length: 300 }, (_, i) => `"k${i}":1,"k${i}":2`).join(',');
    assert.equal(repeatedFields(`{${members}}`).length, 100);
  });
});

describe('deep JSON', () => {
  it('is noticed without being walked', () => {
    assert.equal(outlineJson('['.repeat(100_000), 200).depth, 201);
    assert.equal(outlineJson(`${'{"a":'.repeat(100_000)}`, 200).depth, 201);
    assert.equal(outlineJson('"[[[[["', 2).depth, 0);
  });
});
