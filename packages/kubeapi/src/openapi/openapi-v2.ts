import type { Json, JsonObject, Schema } from '@bloomery/model';
import type { ApiResource } from '../discovery/api-resource.ts';
import { SHARED_SCHEMAS } from './meta-schemas.ts';
import { kindSchemas } from './openapi-v3.ts';
import { type ApiOperation, operationsOf } from './operations.ts';
import { createSharedParts, referenceOf } from './shared-parts.ts';

/**
 * The OpenAPI v2 (Swagger) document of everything that is served, for `/openapi/v2`.
 * What version 2 cannot say is left out, so that old kubectl never refuses what the server would take.
 */
export function openApiV2Document(resources: readonly ApiResource[], serverVersion: string): JsonObject {
  const paths = new Map<string, Record<string, JsonObject>>();
  for (const operation of resources.flatMap(operationsOf)) {
    const item = paths.get(operation.path) ?? {};
    item[operation.method] = operationObject(operation);
    paths.set(operation.path, item);
  }
  const parts = createSharedParts(ref);
  const definitions = [
    ...resources.flatMap((resource) => kindSchemas(resource, ref, parts)),
    ...parts.named(),
    ...Object.entries(SHARED_SCHEMAS),
  ].map(([name, schema]) => [name, downgraded(schema as Schema)]);
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: serverVersion },
    paths: Object.fromEntries(paths),
    definitions: Object.fromEntries(definitions),
  };
}

function ref(name: string): JsonObject {
  return { $ref: `#/definitions/${name}` };
}

function operationObject(operation: ApiOperation): JsonObject {
  const body =
    operation.body === undefined ? [] : [{ name: 'body', in: 'body', required: true, schema: ref(operation.body) }];
  return {
    operationId: operation.id,
    consumes: operation.consumes,
    produces: ['application/json', 'application/yaml'],
    parameters: [
      ...body,
      ...operation.parameters.map(({ name, in: where, type, description }) => ({
        name,
        in: where,
        type,
        description,
        ...(where === 'path' ? { required: true } : { uniqueItems: true }),
      })),
    ],
    responses: { '200': { description: 'OK', schema: ref(operation.answer) } },
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': operation.kind,
  };
}

const KEPT = new Set([
  '$ref',
  'type',
  'format',
  'description',
  'required',
  'enum',
  'maximum',
  'minimum',
  'maxLength',
  'pattern',
  'default',
]);

function downgraded(schema: Schema): JsonObject {
  const source = schema as JsonObject;
  const reference = referenceOf(source);
  if (reference !== undefined) {
    const merged = Object.entries(source).filter(([name]) => name.startsWith('x-kubernetes-patch-'));
    return { ...reference, description: source['description'] ?? '', ...Object.fromEntries(merged) };
  }
  const free = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const untyped = schema.nullable === true || schema['x-kubernetes-int-or-string'] === true;
  const dropped = new Set(untyped ? ['type', 'format', 'enum', 'required'] : free ? ['required'] : []);
  const members: [string, Json][] = Object.entries(source)
    .filter(([name]) => (KEPT.has(name) || name.startsWith('x-kubernetes-')) && !dropped.has(name))
    .map(([name, value]) => [name, value ?? null]);
  if (!free && !untyped) members.push(...children(schema));
  return Object.fromEntries(members);
}

function children(schema: Schema): [string, Json][] {
  const { properties, items, additionalProperties } = schema;
  const parts: [string, Json][] = [];
  if (properties !== undefined) {
    const entries = Object.entries(properties).map(([name, child]) => [name, downgraded(child)] as const);
    parts.push(['properties', Object.fromEntries(entries)]);
  }
  if (items !== undefined) parts.push(['items', downgraded(items)]);
  if (typeof additionalProperties === 'object') parts.push(['additionalProperties', downgraded(additionalProperties)]);
  return parts;
}
