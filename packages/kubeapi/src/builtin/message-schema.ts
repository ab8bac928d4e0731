import type { Schema } from '@bloomery/model';
import { OBJECT_META_SCHEMA } from '../schema/object-meta-schema.ts';
import { type FieldShape, type MessageField, messageOf, type Scalar } from './message-table.ts';

const schemas = new Map<string, Schema>();
const names = new WeakMap<Schema, string>([[OBJECT_META_SCHEMA, 'meta.ObjectMeta']]);

/** Fields that the published schemas call required and that kube-apiserver lets be absent. */
const LENIENT = /Status$|State$|Condition$|^events\.|^core\.Event$|^rbac\.|^core\.ObjectReference$/;

/**
 * The schema of a message of the table, made when it is first asked for. Schemas of one message are one object, also inside
 * others: see `messageNameOf`.
 *
 * @throws RangeError for a name that the table does not have, or for a message that holds itself.
 */
export function messageSchema(name: string): Schema {
  const known = schemas.get(name);
  if (known !== undefined) return known;
  const message = messageOf(name);
  const fields = message.fields.flatMap(inlined);
  const properties = Object.fromEntries(
    fields.map((field) => [field.name, isNullTime(name, field) ? NULLABLE_TIME : fieldSchema(field)]),
  );
  const required = LENIENT.test(name) ? [] : fields.filter(isEnforced).map((field) => field.name);
  const made: Schema = {
    type: 'object',
    properties,
    ...(required.length === 0 ? {} : { required }),
    ...(message.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
  };
  schemas.set(name, made);
  names.set(made, name);
  return made;
}

/** The schema of a whole kind: its metadata is implied. */
export function kindSchema(name: string, description: string): Schema {
  const whole = messageSchema(name);
  const { metadata: _, ...properties } = whole.properties ?? {};
  const required = whole.required?.filter((field) => field !== 'metadata') ?? [];
  return { type: 'object', description, properties, ...(required.length === 0 ? {} : { required }) };
}

/** The message that a schema was made of (`core.PodSpec`), for documents that name shared schemas. */
export function messageNameOf(schema: Schema): string | undefined {
  return names.get(schema);
}

function inlined(field: MessageField): readonly MessageField[] {
  if (field.name !== '' || field.shape.of !== 'message') return [field];
  const inner = messageOf(field.shape.name).fields.flatMap(inlined);
  // One of several sources of a value: none of them is required.
  return inner.map((one) => ({ ...one, always: one.always && field.required }));
}

/** Texts, pointers and structures must be there; of numbers, flags and lists an absent one is an empty one. */
function isEnforced({ required, shape, pointer, default: preset }: MessageField): boolean {
  if (!required || preset !== undefined) return false;
  if (shape.of !== 'scalar') return shape.of === 'message';
  return pointer || shape.scalar === 'string' || shape.scalar === 'intOrString';
}

/** Events show the times that they do not have as null. */
function isNullTime(message: string, { shape, pointer }: MessageField): boolean {
  const isTime = shape.of === 'scalar' && (shape.scalar === 'time' || shape.scalar === 'microTime');
  return isTime && !pointer && message.endsWith('.Event');
}

function fieldSchema(field: MessageField): Schema {
  const { shape, patch, listKeys } = field;
  const base = shapeSchema(shape);
  const extra: Schema = {
    ...(field.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(listKeys === undefined ? {} : listTypeOf(listKeys)),
    ...(patch === undefined ? {} : { 'x-kubernetes-patch-strategy': patch.strategy }),
    ...(patch === undefined || patch.key === '' ? {} : { 'x-kubernetes-patch-merge-key': patch.key }),
    ...defaultOf(field),
  };
  return Object.keys(extra).length === 0 ? base : { ...base, ...extra };
}

function listTypeOf(keys: readonly string[]): Schema {
  return keys.length === 0
    ? { 'x-kubernetes-list-type': 'set' }
    : { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys };
}

function defaultOf({ default: preset, shape }: MessageField): Schema {
  if (preset === undefined) return {};
  const isNumber = shape.of === 'scalar' && (shape.scalar === 'int32' || shape.scalar === 'int64');
  return { default: isNumber ? Number(preset) : preset };
}

function shapeSchema(shape: FieldShape): Schema {
  switch (shape.of) {
    case 'list':
      return { type: 'array', items: shapeSchema(shape.element) };
    case 'map':
      return { type: 'object', additionalProperties: shapeSchema(shape.element) };
    case 'message':
      return messageSchema(shape.name);
    case 'scalar':
      return SCALAR_SCHEMAS[shape.scalar];
  }
}

const NULLABLE_TIME: Schema = { type: 'string', format: 'date-time', nullable: true };
const OPEN: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const TIME: Schema = { type: 'string', format: 'date-time' };
const ANYTHING: Schema = { 'x-kubernetes-preserve-unknown-fields': true };

const SCALAR_SCHEMAS: { readonly [scalar in Scalar]: Schema } = {
  string: { type: 'string' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  bool: { type: 'boolean' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
  time: TIME,
  microTime: TIME,
  // Text or a number, whole or not: no type of its own.
  quantity: {},
  intOrString: { 'x-kubernetes-int-or-string': true },
  raw: OPEN,
  json: ANYTHING,
  fieldsV1: OPEN,
  texts: { type: 'array', items: { type: 'string' } },
  schemaOrBool: ANYTHING,
  schemaOrList: ANYTHING,
  schemaOrTexts: ANYTHING,
  metadata: OBJECT_META_SCHEMA,
};
