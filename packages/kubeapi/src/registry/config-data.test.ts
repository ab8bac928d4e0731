import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Admission, JsonObject } from '@bloomery/model';
import { admitConfigMap, admitSecret, MAX_DATA_BYTES, withoutEmptyData } from './config-data.ts';

const texts = (admission: Admission): string[] => admission.problems.map((p) => `${p.field}: ${p.message}`);
const KEY_RULE =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

describe('ConfigMaps and Secrets', () => {
  const maps: [name: string, object: JsonObject, old: JsonObject | undefined, want: string[]][] = [
    ['a plain one is fine', { data: { 'a.b-c_D': '1' } }, undefined, []],
    [
      'a key with a space is refused',
      { data: { 'a b': '1' } },
      undefined,
      [`data[a b]: Invalid value: "a b": ${KEY_RULE}`],
    ],
    [
      'a key in both maps is refused',
      { data: { a: '1' }, binaryData: { a: 'eA==' } },
      undefined,
      ['data[a]: Invalid value: "a": duplicate of key present in binaryData'],
    ],
    [
      'an immutable one does not change',
      { data: { a: '2' }, immutable: true },
      { data: { a: '1' }, immutable: true },
      ['data: Forbidden: field is immutable when `immutable` is set'],
    ],
    [
      'more than a mebibyte is refused',
      { data: { a: 'x'.repeat(MAX_DATA_BYTES + 1) } },
      undefined,
      ['[]: Too long: may not be more than 1048576 bytes'],
    ],
  ];
  for (const [name, object, old, want] of maps)
    it(name, () => assert.deepEqual(texts(admitConfigMap(object, old)), want));

  it('empty data is no data', () => {
    const map = { kind: 'ConfigMap', data: {}, binaryData: { a: '' } };
    assert.deepEqual(withoutEmptyData(map), { kind: 'ConfigMap', binaryData: { a: '' } });
  });

  it('a TLS Secret needs its two keys', () => {
    const secret = { type: 'kubernetes.io/tls', data: { 'tls.crt': '' } };
    assert.deepEqual(texts(admitSecret(secret, undefined)), ['data[tls.key]: Required value']);
  });

  it('the type of a Secret is for good', () => {
    assert.deepEqual(texts(admitSecret({ type: 'b' }, { type: 'a' })), [
      'type: Invalid value: "b": field is immutable',
    ]);
  });
});
