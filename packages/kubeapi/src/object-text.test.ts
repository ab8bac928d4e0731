import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asApiObject, deepFreeze } from './api-object.ts';
import { objectText, writtenText } from './object-text.ts';

const big = (name: string) =>
  deepFreeze(
    asApiObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { big: 'x'.repeat(700_000) } }),
  );

describe('the text of an object', () => {
  it('is the same whether or not it was kept', () => {
    const objects = Array.from({ length: 12 }, (_, i) => big(`c${i}`));
    for (const object of objects) assert.equal(writtenText(object), JSON.stringify(object));
    for (const object of objects) assert.equal(objectText(object), JSON.stringify(object));
  });

  it('keeps integers beyond what a double holds', () => {
    const object = asApiObject({ apiVersion: 'v1', kind: 'X', metadata: { name: 'a' }, n: 9007199254740993n });
    assert.equal(objectText(object), '{"apiVersion":"v1","kind":"X","metadata":{"name":"a"},"n":9007199254740993}');
  });
});
