import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject, KubeObject } from '@bloomery/model';
import { type Propagated, propagationPatch } from './propagate.ts';

const owned = (manager: string, fieldsV1: JsonObject) => ({ manager, operation: 'Update', fieldsV1 });
const FIELDS = {
  'f:metadata': { 'f:labels': { '.': {}, 'f:a': {}, 'f:old': {} }, 'f:annotations': { 'f:note': {} } },
  'f:spec': { 'f:span': {}, 'f:size': {} },
};
const object = (managedFields: readonly JsonObject[] = [owned('us', FIELDS)]): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'X',
    metadata: { name: 'x', labels: { a: '1', old: '1', theirs: '1' }, annotations: { note: 'n' }, managedFields },
    spec: { span: '1s', size: 3, other: 1 },
  }) as unknown as KubeObject;
const all: Propagated = { labels: { a: '1', old: '1' }, annotations: { note: 'n' }, spec: { span: '1s', size: 3 } };

describe('what an owner brings to its objects', () => {
  const cases: [what: string, wanted: Propagated, patch: JsonObject | undefined][] = [
    ['is nothing when nothing differs', all, undefined],
    [
      'is what differs',
      { ...all, labels: { ...all.labels, a: '2', b: '1' } },
      { metadata: { labels: { a: '2', b: '1' } } },
    ],
    ['is without what it wants no more', { ...all, labels: { a: '1' } }, { metadata: { labels: { old: null } } }],
    ['are annotations too', { ...all, annotations: {} }, { metadata: { annotations: { note: null } } }],
    ['are fields too', { ...all, spec: { span: undefined, size: 4 } }, { spec: { span: null, size: 4 } }],
    ['leaves fields alone that it does not name', { ...all, spec: {} }, undefined],
  ];
  for (const [what, wanted, patch] of cases) {
    it(what, () => assert.deepEqual(propagationPatch(object(), wanted, 'us'), patch));
  }

  it('takes nothing away that somebody else wrote', () => {
    const nothing: Propagated = { labels: {}, annotations: {}, spec: { span: undefined } };
    assert.equal(propagationPatch(object([owned('them', FIELDS)]), nothing, 'us'), undefined);
    assert.equal(propagationPatch(object([]), nothing, 'us'), undefined);
  });

  it('stands broken managedFields', () => {
    const broken = [{ manager: 'us' }, { manager: 'us', fieldsV1: { 'f:metadata': 1 } }] as unknown as JsonObject[];
    assert.equal(propagationPatch(object(broken), { labels: {}, annotations: {} }, 'us'), undefined);
  });
});
