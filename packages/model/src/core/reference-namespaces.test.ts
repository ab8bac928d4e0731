import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '../json.ts';
import { withReferenceNamespaces } from './reference-namespaces.ts';

const paths = [['infrastructureRef'], ['bootstrap', 'configRef']];
const of = (spec: JsonObject, namespace = 'n'): JsonObject => ({ metadata: { name: 'x', namespace }, spec });

describe('references without a namespace', () => {
  const cases: [name: string, object: JsonObject, want: JsonObject][] = [
    [
      'get the one of the object',
      of({ infrastructureRef: { name: 'a' } }),
      of({ infrastructureRef: { name: 'a', namespace: 'n' } }),
    ],
    [
      'get it at any depth',
      of({ bootstrap: { configRef: { name: 'a', namespace: '' } } }),
      of({ bootstrap: { configRef: { name: 'a', namespace: 'n' } } }),
    ],
    [
      'keep the one they have',
      of({ infrastructureRef: { name: 'a', namespace: 'm' } }),
      of({ infrastructureRef: { name: 'a', namespace: 'm' } }),
    ],
    ['stay empty when they are', of({ infrastructureRef: {} }), of({ infrastructureRef: {} })],
    [
      'are not made where there are none',
      of({ bootstrap: { dataSecretName: 's' } }),
      of({ bootstrap: { dataSecretName: 's' } }),
    ],
    [
      'may be anything',
      of({ infrastructureRef: 'x', bootstrap: null }),
      of({ infrastructureRef: 'x', bootstrap: null }),
    ],
    [
      'stay where the object has none',
      { spec: { infrastructureRef: { name: 'a' } } },
      { spec: { infrastructureRef: { name: 'a' } } },
    ],
  ];
  for (const [name, object, want] of cases) {
    it(name, () => assert.deepEqual(withReferenceNamespaces(object, paths), want));
  }
});
