import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allKinds, builtinKinds, configMap, isJsonObject, type Json, type JsonObject, server } from '@bloomery/model';
import { openApiV2Proto } from '@bloomery/wire';
import { fromBinary } from '@bufbuild/protobuf';
import { openApiV2Document } from './openapi-v2.ts';
import { encodeOpenApiV2 } from './openapi-v2-protobuf.ts';
import { openApiV3Documents, openApiV3Index } from './openapi-v3.ts';
import { schemaName } from './schema-name.ts';

const resources = [...allKinds, ...builtinKinds];

function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let found = value;
  for (const name of path) found = isJsonObject(found) ? found[name] : undefined;
  return found;
}

function references(value: Json | undefined): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (!isJsonObject(value)) return [];
  const own = typeof value['$ref'] === 'string' ? [value['$ref']] : [];
  return [...own, ...Object.values(value).flatMap(references)];
}

describe('schema names', () => {
  const cases: [group: string, kind: string, want: string][] = [
    ['', 'ConfigMap', 'io.k8s.api.core.v1.ConfigMap'],
    ['metal.sidero.dev', 'Server', 'dev.sidero.metal.v1.Server'],
    ['rbac.authorization.k8s.io', 'Role', 'io.k8s.api.rbac.v1.Role'],
  ];
  for (const [group, kind, want] of cases) {
    it(want, () => assert.equal(schemaName({ group, version: 'v1', kind }), want));
  }
});

describe('OpenAPI v3', () => {
  const documents = openApiV3Documents(resources, 'v1.34.4');
  const document = documents.get('apis/metal.sidero.dev/v1alpha2')?.document;

  it('names each document with its hash', () => {
    const { hash = '' } = documents.get('api/v1') ?? {};
    assert.deepEqual(at(openApiV3Index(documents), 'paths', 'api/v1'), {
      serverRelativeURL: `/openapi/v3/api/v1?hash=${hash}`,
    });
  });

  it('offers kubectl the patch operation of a kind with its query parameters', () => {
    const patch = at(document, 'paths', '/apis/metal.sidero.dev/v1alpha2/servers/{name}', 'patch');
    assert.deepEqual(at(patch, 'x-kubernetes-group-version-kind'), {
      group: 'metal.sidero.dev',
      version: 'v1alpha2',
      kind: 'Server',
    });
    const parameters = at(patch, 'parameters') as JsonObject[];
    const query = parameters.filter((p) => p['in'] === 'query').map((p) => p['name']);
    assert.deepEqual(query, ['dryRun', 'fieldManager', 'fieldValidation', 'force']);
  });

  it('offers strategic merge patches for kinds of Kubernetes only', () => {
    const types = (path: string, item: string): readonly string[] =>
      Object.keys(at(documents.get(path)?.document, 'paths', item, 'patch', 'requestBody', 'content') as JsonObject);
    const strategic = 'application/strategic-merge-patch+json';
    assert.ok(types('api/v1', '/api/v1/namespaces/{namespace}/configmaps/{name}').includes(strategic));
    assert.ok(
      !types('apis/metal.sidero.dev/v1alpha2', '/apis/metal.sidero.dev/v1alpha2/servers/{name}').includes(strategic),
    );
  });

  it('says which kind a schema is', () => {
    const schema = at(document, 'components', 'schemas', schemaName(server));
    assert.deepEqual(at(schema, 'x-kubernetes-group-version-kind'), [
      { group: 'metal.sidero.dev', version: 'v1alpha2', kind: 'Server' },
    ]);
  });

  it('has no dangling reference', () => {
    for (const { document: doc } of documents.values()) {
      for (const ref of references(doc)) {
        assert.ok(at(doc, 'components', 'schemas', ref.replace('#/components/schemas/', '')) !== undefined, ref);
      }
    }
  });
});

describe('OpenAPI v2', () => {
  const document = openApiV2Document(resources, 'v1.34.4');

  it('has no dangling reference', () => {
    for (const ref of references(document)) {
      assert.ok(at(document, 'definitions', ref.replace('#/definitions/', '')) !== undefined, ref);
    }
  });

  it('says nothing that version 2 cannot', () => {
    const text = JSON.stringify(at(document, 'definitions'));
    for (const word of ['"oneOf"', '"anyOf"', '"allOf"', '"not"', '"nullable"']) assert.ok(!text.includes(word), word);
  });

  it('its protobuf form holds the same definitions', () => {
    const decoded = fromBinary(openApiV2Proto.DocumentSchema, encodeOpenApiV2(document));
    const names = decoded.definitions?.additionalProperties.map(({ name }) => name).sort();
    assert.deepEqual(names, Object.keys(at(document, 'definitions') as JsonObject).sort());
    const schema = decoded.definitions?.additionalProperties.find(({ name }) => name === schemaName(configMap))?.value;
    const kinds = schema?.vendorExtension.find(({ name }) => name === 'x-kubernetes-group-version-kind')?.value?.yaml;
    assert.equal(kinds, '[{"group":"","version":"v1","kind":"ConfigMap"}]');
    const path = decoded.paths?.path.find(({ name }) => name === '/api/v1/namespaces/{namespace}/configmaps/{name}');
    const parameters = path?.value?.patch?.parameters.map(
      (p) => p.parameter?.nonBodyParameter?.queryParameterSubSchema?.name,
    );
    assert.deepEqual(parameters, ['dryRun', 'fieldManager', 'fieldValidation', 'force']);
  });
});
