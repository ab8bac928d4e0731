import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { OBJECT_META_SCHEMA } from './object-meta-schema.ts';
import { Shaper } from './shape.ts';
import { jsonType, validate } from './validate.ts';

/** Metadata in its shape, or why it cannot be read at all. */
export type ShapedObjectMeta =
  | { readonly ok: true; readonly metadata: JsonObject; readonly unknownFields: readonly string[] }
  | {
      readonly ok: false;
      /** Text behind `Thing in version "v1" cannot be handled as a Thing: `, for a 400. */
      readonly message: string;
    };

/**
 * Bring `metadata` of a request into shape: unknown fields, nulls and empty values are dropped (Go clients send
 * `creationTimestamp: null`), except that an empty `managedFields` stays, because it means "forget them".
 * Wrong types are refused.
 */
export function shapeObjectMeta(metadata: Json | undefined): ShapedObjectMeta {
  if (metadata === undefined || metadata === null) return { ok: true, metadata: {}, unknownFields: [] };
  if (!isJsonObject(metadata)) {
    return {
      ok: false,
      message: `json: cannot unmarshal ${goKind(metadata)} into Go struct field .metadata of type v1.ObjectMeta`,
    };
  }
  const shaper = new Shaper(SHAPING);
  const shaped = shaper.shape(OBJECT_META_SCHEMA, metadata, 'metadata');
  if (!isJsonObject(shaped)) return { ok: true, metadata: {}, unknownFields: shaper.unknown };
  const wrong = validate(OBJECT_META_SCHEMA, shaped, '').find(({ reason }) => reason === 'FieldValueTypeInvalid');
  if (wrong !== undefined) return { ok: false, message: unreadable(shaped, wrong.field) };
  const kept = Object.entries(shaped).filter(([name, value]) => name === 'managedFields' || !isEmpty(value));
  const same = kept.length === Object.keys(metadata).length && shaped === metadata;
  return { ok: true, metadata: same ? metadata : Object.fromEntries(kept), unknownFields: shaper.unknown };
}

const SHAPING = { prune: true, defaults: false, dropNulls: true } as const;

function isEmpty(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isJsonObject(value)) return Object.keys(value).length === 0;
  return value === '' || value === 0 || value === undefined || value === null;
}

function unreadable(metadata: JsonObject, field: string): string {
  const [top = '', inner] = field.split(/[.[]/);
  const value = metadata[top];
  const wrong = isJsonObject(value) && inner !== undefined ? value[inner] : value;
  const time = top.endsWith('Timestamp');
  if (time) return `parsing time ${JSON.stringify(wrong)} as "2006-01-02T15:04:05Z07:00": cannot parse`;
  const type = goTypeOf(OBJECT_META_SCHEMA.properties?.[top]?.type, inner === undefined);
  return `json: cannot unmarshal ${goKind(wrong ?? null)} into Go struct field ObjectMeta.metadata.${top} of type ${type}`;
}

function goTypeOf(type: string | undefined, whole: boolean): string {
  if (type === 'integer') return 'int64';
  return whole && type === 'object' ? 'map[string]string' : 'string';
}

function goKind(value: Json): string {
  const type = jsonType(value);
  if (type === 'integer') return 'number';
  return type === 'boolean' ? 'bool' : type;
}
