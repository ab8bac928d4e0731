import { createHash } from 'node:crypto';
import { apiVersionOf, isJsonObject, type JsonObject, type Schema } from '@bloomery/model';
import type { ApiResource } from '../discovery/api-resource.ts';
import { SHARED_SCHEMAS, TYPE_META } from './meta-schemas.ts';
import { type ApiOperation, operationsOf } from './operations.ts';
import { META_SCHEMAS, schemaName } from './schema-name.ts';
import { createSharedParts, type SharedParts } from './shared-parts.ts';

/** A document and the text that names its content. */
export interface HashedDocument {
  readonly document: JsonObject;
  readonly hash: string;
}

/** Path of a group-version below /openapi/v3: `api/v1`, `apis/G/V`. */
function openApiPath({ group, version }: Pick<ApiResource, 'group' | 'version'>): string {
  return group === '' ? `api/${version}` : `apis/${apiVersionOf({ group, version })}`;
}

/**
 * All OpenAPI 3.0 documents, one per group and version, by their path (`api/v1`, `apis/G/V`).
 * Building costs some milliseconds: keep the result until the resources change.
 */
export function openApiV3Documents(
  resources: readonly ApiResource[],
  serverVersion: string,
): ReadonlyMap<string, HashedDocument> {
  const documents = new Map<string, HashedDocument>();
  for (const path of new Set(resources.map(openApiPath))) {
    const served = resources.filter((resource) => openApiPath(resource) === path);
    const document = documentOf(served, serverVersion);
    const hash = createHash('sha256').update(JSON.stringify(document)).digest('hex').slice(0, 32).toUpperCase();
    documents.set(path, { document, hash });
  }
  return documents;
}

/** `/openapi/v3`: where each document is. */
export function openApiV3Index(documents: ReadonlyMap<string, HashedDocument>): JsonObject {
  const entries = [...documents].map(([path, { hash }]) => [
    path,
    { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` },
  ]);
  return { paths: Object.fromEntries(entries) };
}

function documentOf(resources: readonly ApiResource[], version: string): JsonObject {
  const paths = new Map<string, Record<string, JsonObject>>();
  for (const operation of resources.flatMap(operationsOf)) {
    const item = paths.get(operation.path) ?? {};
    item[operation.method] = operationObject(operation);
    paths.set(operation.path, item);
  }
  const parts = createSharedParts(ref);
  const schemas = [
    ...resources.flatMap((resource) => kindSchemas(resource, ref, parts)),
    ...parts.named(),
    ...Object.entries(SHARED_SCHEMAS).map(([name, schema]) => [name, withKinds(name, schema, resources)] as const),
  ];
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version },
    paths: Object.fromEntries(paths),
    components: { schemas: Object.fromEntries(schemas) },
  };
}

/** Kinds that clients look up by group, version and kind although no resource of ours is one. */
function withKinds(name: string, schema: Schema, resources: readonly ApiResource[]): JsonObject {
  const kind =
    name === META_SCHEMAS.deleteOptions ? 'DeleteOptions' : name === META_SCHEMAS.status ? 'Status' : undefined;
  if (kind === undefined) return schema as JsonObject;
  const [{ group = '', version = 'v1' } = {}] = resources;
  return { ...(schema as JsonObject), 'x-kubernetes-group-version-kind': [{ group, version, kind }] };
}

function ref(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}

/** The schemas of a kind and its list, by name. `ref` makes a reference to another schema; `parts` those of the document. */
export function kindSchemas(
  resource: ApiResource,
  ref: (name: string) => JsonObject,
  parts: SharedParts,
): readonly (readonly [name: string, schema: JsonObject])[] {
  const { group, version, kind, listKind, schema } = resource;
  const object = parts.referring(schema);
  const properties = isJsonObject(object['properties']) ? object['properties'] : {};
  const metadata = {
    description: 'Standard metadata of the object.',
    allOf: [ref(META_SCHEMAS.objectMeta)],
    default: {},
  };
  const single = {
    ...object,
    properties: { ...TYPE_META, metadata, ...properties },
    'x-kubernetes-group-version-kind': [{ group, version, kind }],
  } as JsonObject;
  const list = {
    type: 'object',
    description: `A list of ${kind} objects.`,
    required: ['items'],
    properties: {
      ...TYPE_META,
      items: { type: 'array', description: 'The objects.', items: ref(schemaName(resource)) },
      metadata: { description: 'Standard metadata of the list.', allOf: [ref(META_SCHEMAS.listMeta)] },
    },
    'x-kubernetes-group-version-kind': [{ group, version, kind: listKind }],
  } as JsonObject;
  return [
    [schemaName(resource), single],
    [schemaName({ group, version, kind: listKind }), list],
  ];
}

function operationObject(operation: ApiOperation): JsonObject {
  const { body, consumes, answer, parameters } = operation;
  const content = (types: readonly string[], name: string): JsonObject =>
    Object.fromEntries(types.map((type) => [type, { schema: ref(name) }]));
  return {
    operationId: operation.id,
    parameters: parameters.map(({ name, in: where, type, description }) => ({
      name,
      in: where,
      description,
      ...(where === 'path' ? { required: true } : {}),
      schema: { type, uniqueItems: true },
    })),
    ...(body === undefined
      ? {}
      : { requestBody: { content: content(consumes, body), required: operation.method !== 'delete' } }),
    responses: { '200': { description: 'OK', content: content(['application/json', 'application/yaml'], answer) } },
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': operation.kind,
  };
}
