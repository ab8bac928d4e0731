import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allKinds } from '../all-kinds.ts';
import { asObject, CONVERSION_DATA, compact } from '../conversion-data.ts';
import type { Json, JsonObject } from '../json.ts';
import { parseJson, stringifyJson } from '../json-text.ts';
import type { KindDefinition } from '../kind.ts';
import { isJsonObject } from '../kind.ts';
import { kindOfObject } from '../kind-of-object.ts';
import { readVectorFile } from '../testing/vector-file.ts';

for (const file of ['server', 'serverclass', 'environment', 'infra']) {
  const { cases, skip } = readVectorFile(`metal/convert-${file}.json`);
  describe(`vectors: conversion of ${file}`, { skip }, () => {
    for (const c of cases) {
      const input = asObject(c['input']);
      it(`${String(c['name'])}: the converted object is exact`, () => {
        if (c['error'] !== undefined) return assert.throws(() => convert(input, c['to']));
        assert.deepEqual(comparable(convert(input, c['to'])), comparable(asObject(c['output'])));
      });
      const isStored = kindOfObject(allKinds, input['apiVersion'], input['kind'])?.storage === true;
      if (c['error'] !== undefined || !isStored) continue;
      it(`${String(c['name'])}: there and back is the identity`, () => {
        const back = convert(convert(input, c['to']), c['from']);
        assert.deepEqual(comparable(consumed(back)), comparable(consumed(input)));
      });
    }
  });
}

function convert(object: JsonObject, to: Json | undefined): JsonObject {
  const from = kindOfObject(allKinds, object['apiVersion'], object['kind']);
  const target = kindOfObject(allKinds, to, object['kind']);
  assert.ok(from !== undefined && target !== undefined);
  const stored = from.convert?.toStorage(object) ?? object;
  return fromStorage(target, stored);
}

function fromStorage(target: KindDefinition, stored: JsonObject): JsonObject {
  return target.convert?.fromStorage(stored) ?? stored;
}

/** The files' comparison rules: null is absent; a status of false booleans and null lists is no status; the kept object is compared as JSON. */
function comparable(object: JsonObject): Json {
  const metadata = asObject(object['metadata']);
  const annotations = asObject(metadata['annotations']);
  const text = annotations[CONVERSION_DATA];
  const kept = typeof text === 'string' ? comparableBody(asObject(parseJson(text))) : undefined;
  const plain = compact({ ...annotations, [CONVERSION_DATA]: kept });
  return clean({
    ...comparableBody(object),
    metadata: { ...metadata, annotations: Object.keys(plain).length > 0 ? plain : undefined },
  });
}

/** What upstream's types print for what is not there: empty structures of spec, false and null in status. */
function comparableBody(object: JsonObject): JsonObject {
  const spec = asObject(clean(asObject(object['spec'])));
  const status = asObject(clean(asObject(object['status'])));
  const isEmpty = (value: Json | undefined): boolean =>
    isJsonObject(value) && Object.values(value).every((v) => v === '' || v === 0 || isEmpty(v));
  const fullSpec = Object.fromEntries(Object.entries(spec).filter(([, v]) => !isEmpty(v)));
  const fullStatus = Object.fromEntries(Object.entries(status).filter(([, v]) => v !== false));
  return { ...object, spec: fullSpec, status: fullStatus };
}

function clean(value: Json): Json {
  if (Array.isArray(value)) return value.map(clean);
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).filter(([, v]) => v !== null && v !== undefined);
  return Object.fromEntries(members.map(([name, v]) => [name, clean(v ?? null)]));
}

/** An object without the kept one: what a round trip compares. */
function consumed(object: JsonObject): JsonObject {
  const { [CONVERSION_DATA]: _text, ...annotations } = asObject(asObject(object['metadata'])['annotations']);
  return { ...object, metadata: { ...asObject(object['metadata']), annotations } };
}

it('big integers inside patches survive conversion down and up', () => {
  const stored = asObject(
    parseJson(
      '{"apiVersion":"metal.sidero.dev/v1alpha2","kind":"Server","metadata":{"name":"s"},"spec":{"accepted":true,"configPatches":[{"op":"add","path":"/a","value":9007199254740993}],"strategicPatches":["a: 1"]}}',
    ),
  );
  const old = convert(stored, 'metal.sidero.dev/v1alpha1');
  assert.match(stringifyJson(old), /9007199254740993/);
  assert.deepEqual(convert(old, 'metal.sidero.dev/v1alpha2'), stored);
});
