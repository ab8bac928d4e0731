import { isJsonObject, type Json, type JsonObject, stringifyJson } from '@bloomery/model';
import { openApiV2Proto as proto } from '@bloomery/wire';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { items, text } from '../json-parts.ts';

type SchemaInit = MessageInitShape<typeof proto.SchemaSchema>;
type NamedSchemaInit = MessageInitShape<typeof proto.NamedSchemaSchema>;
type NamedAnyInit = MessageInitShape<typeof proto.NamedAnySchema>;
type OperationInit = MessageInitShape<typeof proto.OperationSchema>;

/** What clients ask for in Accept to get the protobuf form. */
export const OPENAPI_V2_PROTOBUF_ACCEPT = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
/** The Content-Type of the answer: a dot where the request has an at sign. */
export const OPENAPI_V2_PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** Encode an OpenAPI v2 document in the gnostic protobuf form, the only one that kubectl before 1.27 reads. */
export function encodeOpenApiV2(document: JsonObject): Uint8Array {
  const message = create(proto.DocumentSchema, {
    swagger: text(document['swagger']),
    info: { title: text(member(document['info'], 'title')), version: text(member(document['info'], 'version')) },
    paths: { path: entries(document['paths']).map(([name, item]) => ({ name, value: pathItem(item) })) },
    definitions: { additionalProperties: namedSchemas(document['definitions']) },
  });
  return toBinary(proto.DocumentSchema, message);
}

function entries(value: Json | undefined): readonly (readonly [string, Json])[] {
  return isJsonObject(value) ? Object.entries(value).map(([name, part]) => [name, part ?? null] as const) : [];
}

function member(value: Json | undefined, name: string): Json | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}

function namedSchemas(value: Json | undefined): NamedSchemaInit[] {
  return entries(value).map(([name, schema]) => ({ name, value: schemaOf(schema) }));
}

function yaml(value: Json): { readonly yaml: string } {
  return { yaml: stringifyJson(value) };
}

function extensions(value: Json): NamedAnyInit[] {
  return entries(value)
    .filter(([name]) => name.startsWith('x-'))
    .map(([name, part]) => ({ name, value: yaml(part) }));
}

function schemaOf(schema: Json): SchemaInit {
  const part = (name: string): Json | undefined => member(schema, name);
  const additional = part('additionalProperties');
  const type = text(part('type'));
  const init: SchemaInit = {
    ref: text(part('$ref')),
    format: text(part('format')),
    description: text(part('description')),
    pattern: text(part('pattern')),
    required: items(part('required')).map(text),
    enum: items(part('enum')).map(yaml),
    maximum: Number(part('maximum') ?? 0),
    minimum: Number(part('minimum') ?? 0),
    maxLength: BigInt(Number(part('maxLength') ?? 0)),
    vendorExtension: extensions(schema),
  };
  return {
    ...init,
    ...(part('default') === undefined ? {} : { default: yaml(part('default') ?? null) }),
    ...(type === '' ? {} : { type: { value: [type] } }),
    ...(part('items') === undefined ? {} : { items: { schema: [schemaOf(part('items') ?? null)] } }),
    ...(isJsonObject(additional)
      ? { additionalProperties: { oneof: { case: 'schema', value: schemaOf(additional) } } }
      : {}),
    ...(part('properties') === undefined
      ? {}
      : { properties: { additionalProperties: namedSchemas(part('properties')) } }),
  };
}

function pathItem(item: Json): MessageInitShape<typeof proto.PathItemSchema> {
  const operations = entries(item).map(([method, operation]) => [method, operationOf(operation)] as const);
  return Object.fromEntries(operations);
}

function operationOf(operation: Json): OperationInit {
  const parameters = items(member(operation, 'parameters')).filter((parameter) => member(parameter, 'in') === 'query');
  return {
    operationId: text(member(operation, 'operationId')),
    parameters: parameters.map((parameter) => ({
      parameter: { nonBodyParameter: { queryParameterSubSchema: queryOf(parameter) } },
    })),
    vendorExtension: extensions(operation),
  };
}

function queryOf(parameter: Json): MessageInitShape<typeof proto.QueryParameterSchema> {
  const part = (name: string): string => text(member(parameter, name));
  return { in: 'query', name: part('name'), description: part('description'), type: part('type') };
}
