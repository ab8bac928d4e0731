import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { allKinds } from './all-kinds.ts';
import { crdOf, versionsByKind } from './crd.ts';
import { crdFiles } from './crd-file.ts';
import type { Schema } from './schema.ts';

const directory = join(import.meta.dirname, '../../../deploy/crds');

describe('the CRD files', () => {
  it('are what the definitions say (run scripts/generate-crds.ts)', () => {
    const files = crdFiles(allKinds);
    assert.deepEqual(readdirSync(directory).sort(), files.map((f) => f.name).sort());
    for (const { name, text } of files) assert.equal(readFileSync(join(directory, name), 'utf8'), text);
  });
  it('hold the same object that the API server is given', () => {
    const [first] = versionsByKind(allKinds);
    assert.ok(first !== undefined);
    assert.deepEqual(parse(crdFiles(allKinds)[0]?.text ?? ''), crdOf(first));
  });
});

describe('every kind', () => {
  for (const versions of versionsByKind(allKinds)) {
    const name = versions[0]?.kind ?? '';
    it(`${name} has exactly one stored version, and the others convert`, () => {
      assert.equal(versions.filter((v) => v.storage).length, 1);
      assert.ok(versions.every((v) => v.storage || v.convert !== undefined));
    });
    it(`${name} shares names, scope and labels between its versions`, () => {
      const shared = versions.map(({ shortNames, categories, scope, crdLabels, singular }) => ({
        shortNames,
        categories,
        scope,
        crdLabels,
        singular,
      }));
      for (const other of shared) assert.deepEqual(other, shared[0]);
    });
    it(`${name} has a structural schema`, () => {
      for (const v of versions) assertStructural(v.schema, `${v.kind} ${v.version}`);
    });
  }
});

function assertStructural(schema: Schema, path: string): void {
  const isOpen =
    schema['x-kubernetes-preserve-unknown-fields'] === true || schema['x-kubernetes-int-or-string'] === true;
  assert.ok(schema.type !== undefined || isOpen, `${path} has a type`);
  for (const name of schema.required ?? []) assert.ok(schema.properties?.[name] !== undefined, `${path}.${name}`);
  for (const [name, inner] of Object.entries(schema.properties ?? {})) assertStructural(inner, `${path}.${name}`);
  if (schema.type === 'array') {
    assert.ok(schema.items !== undefined, `${path} has items`);
    assertStructural(schema.items, `${path}[]`);
  }
  if (typeof schema.additionalProperties === 'object') assertStructural(schema.additionalProperties, `${path}{}`);
}
