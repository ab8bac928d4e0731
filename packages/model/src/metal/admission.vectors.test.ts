import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { invalidMessage } from '../admission-text.ts';
import { allKinds } from '../all-kinds.ts';
import { asList, asObject } from '../conversion-data.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Admission } from '../kind.ts';
import { isJsonObject } from '../kind.ts';
import { kindOfObject } from '../kind-of-object.ts';
import type { Schema } from '../schema.ts';
import { readVectorFile } from '../testing/vector-file.ts';

const { cases, skip } = readVectorFile('metal/validate.json');
describe('vectors: admission', { skip }, () => {
  for (const c of cases) {
    it(String(c['name']), () => {
      const object = asObject(c['object']);
      const kind = kindOfObject(allKinds, object['apiVersion'], object['kind']);
      assert.ok(kind !== undefined);
      const isReadable = decodes(kind.schema, withoutType(object));
      if (c['decodeError'] !== undefined && c['decodeError'] !== false) return assert.equal(isReadable, false);
      assert.equal(isReadable, true);
      const admission = kind.admit?.(object, isJsonObject(c['old']) ? c['old'] : undefined) ?? { problems: [] };
      assert.equal(isAllowed(admission), c['allowed']);
      if (c['allowed'] === true) return;
      const name = String(asObject(object['metadata'])['name']);
      assert.equal(admission.badRequest === undefined ? 422 : 400, c['code'] ?? 422);
      assert.equal(
        admission.badRequest ?? invalidMessage(kind, name, admission.problems),
        ownWords(object, String(c['message'])),
      );
      if (c['causes'] === undefined) return;
      assert.deepEqual(
        admission.problems,
        asList(c['causes']).map((cause) => {
          const { field, reason, message } = asObject(cause);
          const own = field === 'spec.pxeMode' ? ownWords(object, `${field}: ${String(message)}`) : undefined;
          return { field, reason, message: own?.slice('spec.pxeMode: '.length) ?? message };
        }),
      );
    });
  }
});

function isAllowed(admission: Admission): boolean {
  return admission.problems.length === 0 && admission.badRequest === undefined;
}

/** Upstream quotes bootFromDiskMethod when pxeMode is wrong; ours quotes pxeMode (spec/metal.md §4). */
function ownWords(object: JsonObject, message: string): string {
  const { pxeMode } = asObject(object['spec']);
  return message.replace(
    /spec\.pxeMode: Invalid value: "[^"]*"/,
    () => `spec.pxeMode: Invalid value: ${JSON.stringify(pxeMode)}`,
  );
}

function withoutType(object: JsonObject): JsonObject {
  const { apiVersion: _a, kind: _k, metadata: _m, ...rest } = object;
  return rest;
}

/** Can the value be read into the types of the schema? Says nothing about required members and limits. */
function decodes(schema: Schema, value: Json | undefined): boolean {
  if (value === undefined || value === null) return true;
  switch (schema.type) {
    case 'object':
      if (!isJsonObject(value)) return false;
      return Object.entries(schema.properties ?? {}).every(([name, inner]) => decodes(inner, value[name]));
    case 'array':
      return Array.isArray(value) && value.every((item) => decodes(schema.items ?? {}, item));
    case 'integer':
      return typeof value === 'bigint' || Number.isInteger(value);
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint';
    case undefined:
      return true;
    default:
      return typeof value === schema.type;
  }
}
