import type { Json, Schema } from '@bloomery/model';
import { OBJECT_META_SCHEMA } from '../schema/object-meta-schema.ts';
import { type FieldShape, type MessageField, messageOf, type Scalar } from './message-table.ts';
import { presetOf } from './presets.ts';

const schemas = new Map<string, Schema>();
const names = new WeakMap<Schema, string>([[OBJECT_META_SCHEMA, 'meta.ObjectMeta']]);

/** Fields that the published schemas call required and that kube-apiserver lets be absent. */
const LENIENT =
  /Status$|State$|Condition$|^core\.Node(?:SystemInfo|Address)$|^events\.|^core\.Event$|^rbac\.|^core\.ObjectReference$|^admissionregistration\./;

/**
 * The schema of a message of the table, made when it is first asked for. Schemas of one message are one object, also inside
 * others: see `messageNameOf`.
 *
 * @throws RangeError for a name that the table does not have, or for a message that holds itself.
 */
export function messageSchema(name: string): Schema {
  const known = schemas.get(name);
  if (known !== undefined) return known;
  const isLenient = LENIENT.test(name);
  const fields = declaredIn(name).map((declared) => {
    const enforced = !isLenient && isEnforced(declared.field);
    return { name: declared.field.name, enforced, schema: fieldSchema(declared, enforced) };
  });
  const properties = Object.fromEntries(fields.map((field) => [field.name, field.schema]));
  const required = fields.filter((field) => field.enforced).map((field) => field.name);
  const made: Schema = {
    type: 'object',
    properties,
    ...(required.length === 0 ? {} : { required }),
    ...(messageOf(name).atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
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

/** A field with the message that declares it: some members stand in the object around their own. */
interface Declared {
  readonly message: string;
  readonly field: MessageField;
}

function declaredIn(message: string): readonly Declared[] {
  return messageOf(message).fields.flatMap((field): readonly Declared[] =>
    field.name === '' && field.shape.of === 'message' ? declaredIn(field.shape.name) : [{ message, field }],
  );
}

/** Texts and pointers must be there; absent numbers, flags, lists and structures are empty ones. */
function isEnforced({ required, shape, pointer, default: preset }: MessageField): boolean {
  if (!required || preset !== undefined) return false;
  if (shape.of === 'message') return pointer;
  return shape.of === 'scalar' && (pointer || shape.scalar === 'string' || shape.scalar === 'intOrString');
}

/** Events show the times that they do not have as null. */
function isNullTime(message: string, { shape, pointer }: MessageField): boolean {
  const isTime = shape.of === 'scalar' && (shape.scalar === 'time' || shape.scalar === 'microTime');
  return isTime && !pointer && message.endsWith('.Event');
}

function fieldSchema({ message, field }: Declared, enforced: boolean): Schema {
  const { shape, patch, listKeys } = field;
  if (isNullTime(message, field)) return NULLABLE_TIME;
  const base = shapeSchema(shape);
  if (shape.of === 'list' && field.always && LENIENT.test(message)) return { ...base, nullable: true, default: null };
  const preset = presetOf(message, field.name) ?? defaultOf(field, enforced);
  const extra: Schema = {
    ...(field.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(listKeys === undefined ? {} : listTypeOf(listKeys)),
    ...(patch === undefined ? {} : { 'x-kubernetes-patch-strategy': patch.strategy }),
    ...(patch === undefined || patch.key === '' ? {} : { 'x-kubernetes-patch-merge-key': patch.key }),
    ...(preset === undefined ? {} : { default: preset }),
  };
  if (Object.keys(extra).length === 0) return base;
  const made = { ...base, ...extra };
  const name = names.get(base);
  if (name !== undefined) names.set(made, name);
  return made;
}

/** What Go shows of an absent field: structures and what is never left out show their zeros. */
function defaultOf({ default: preset, shape, always, pointer }: MessageField, enforced: boolean): Json | undefined {
  if (shape.of === 'message') return pointer ? undefined : {};
  if (shape.of !== 'scalar') return undefined;
  const { scalar } = shape;
  const isNumber = scalar === 'int32' || scalar === 'int64';
  if (preset !== undefined) return isNumber ? Number(preset) : preset;
  if (scalar === 'metadata') return {};
  if (!always || pointer || enforced) return undefined;
  return isNumber ? 0 : scalar === 'bool' ? false : scalar === 'string' ? '' : undefined;
}

function listTypeOf(keys: readonly string[]): Schema {
  return keys.length === 0
    ? { 'x-kubernetes-list-type': 'set' }
    : { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys };
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

const NULLABLE_TIME: Schema = { type: 'string', format: 'date-time', nullable: true, default: null };
const OPEN: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const TIME: Schema = { type: 'string', format: 'date-time' };
const ANYTHING: Schema = { 'x-kubernetes-preserve-unknown-fields': true };

const SCALAR_SCHEMAS: { readonly [scalar in Scalar]: Schema } = {
  string: { type: 'string' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  bool: { type: 'boolean' },
  double: { type: 'number', format: 'double' },
  // No bytes are none the less bytes.
  bytes: { type: 'string', format: 'byte', minLength: 0 },
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
