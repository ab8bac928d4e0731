import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isJsonObject, type Json, parseJson, stringifyJson } from '@bloomery/model';
import fc from 'fast-check';
import { readStored } from './read-stored.ts';
import { managedFieldsOf } from './track-update.ts';

const entry = (fieldsV1: Json): Json => ({ manager: 'm', operation: 'Update', apiVersion: 'v1', fieldsV1 });
const fields = { 'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } }, 'f:spec': { 'k:{"name":"}{"}': { 'f:x': {} } } };
const objectWith = (...managedFields: Json[]): Json => ({ metadata: { name: 'a', managedFields }, n: 1 });

function fieldsV1Of(value: Json, index: number): Json | undefined {
  const entries = isJsonObject(value) ? managedFieldsOf(value) : undefined;
  const found = Array.isArray(entries) ? entries[index] : undefined;
  return isJsonObject(found) ? found['fieldsV1'] : undefined;
}

describe('a stored object that is read', () => {
  const cases: [name: string, value: Json][] = [
    ['no managedFields', { metadata: { name: 'a' } }],
    ['several entries', objectWith(entry(fields), entry({ 'f:status': {} }), entry(fields))],
    ['an entry without fields', objectWith({ manager: 'm' }, entry(fields))],
    ['fields that are none', objectWith(entry(fields), entry(null), entry('text'), entry({}))],
    ['members in another order than ours', objectWith(entry({ 'f:b': {}, 'f:a': {} }), entry(fields))],
    ['malformed fields', objectWith(entry({ nonsense: {} }), entry({ 'f:a': 1 }))],
    ['the member elsewhere too', { spec: { fieldsV1: { 'f:a': {} } }, metadata: { managedFields: [entry(fields)] } }],
    ['the member elsewhere only', { fieldsV1: { 'f:a': {} } }],
    ['text that looks like it', { metadata: { managedFields: [entry(fields)] }, text: '"fieldsV1":{"f:a":{}}' }],
    ['large integers', { metadata: { managedFields: [entry(fields)] }, n: 9007199254740993n }],
    ['no object', '"fieldsV1":{'],
  ];
  for (const [name, value] of cases) {
    it(`is what JSON.parse gives: ${name}`, () => {
      const text = stringifyJson(value);
      for (let again = 0; again < 2; again++) {
        assert.deepEqual(readStored(text), parseJson(text));
        assert.equal(stringifyJson(readStored(text)), text);
      }
    });
  }

  it('shares the fields that it has in common with others', () => {
    const text = stringifyJson(objectWith(entry(fields), entry({ 'f:status': { 'f:ready': {} } })));
    const [one, other] = [readStored(text), readStored(text)];
    assert.notEqual(one, other);
    for (const i of [0, 1]) assert.equal(fieldsV1Of(one, i), fieldsV1Of(other, i));
    assert.ok(Object.isFrozen(fieldsV1Of(one, 0)));
  });

  it('is what JSON.parse gives, whatever it is', () => {
    const anything = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;
    const values = fc.array(fc.oneof(fc.constant<Json>(fields), anything), { maxLength: 3 });
    fc.assert(
      fc.property(values, anything, (all, rest) => {
        const text = stringifyJson({ rest, metadata: { managedFields: all.map(entry) } });
        assert.equal(stringifyJson(readStored(text)), text);
      }),
    );
  });

  it('is refused when it is not JSON', () => {
    const text = stringifyJson(objectWith(entry(fields)));
    for (let end = 0; end < text.length; end++) assert.throws(() => readStored(text.slice(0, end)), SyntaxError);
  });
});
