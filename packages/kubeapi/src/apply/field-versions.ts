import type { JsonObject, Schema } from '@bloomery/model';
import { objectSchema } from './field-type.ts';

/** The versions of a kind, for entries that were written in another version than the request's. */
export interface FieldVersions {
  /** Root schema of a version (`group/version`); undefined when it is not served any more. */
  readonly schema: (apiVersion: string) => Schema | undefined;
  /** The object in that version; undefined when it cannot be converted. */
  readonly convert: (object: JsonObject, apiVersion: string) => JsonObject | undefined;
}

/** A kind with one version, or whose versions differ in name only. */
export function singleVersion(schema: Schema): FieldVersions {
  return { schema: () => schema, convert: (object) => object };
}

/** An object at a version, with the schema of that version. */
export interface VersionedObject {
  readonly object: JsonObject;
  readonly schema: Schema;
}

/** The object at a version, or undefined when that version is unknown. */
export function atVersion(
  versions: FieldVersions,
  object: JsonObject,
  apiVersion: string,
): VersionedObject | undefined {
  const schema = versions.schema(apiVersion);
  const converted = schema === undefined ? undefined : versions.convert(object, apiVersion);
  return schema === undefined || converted === undefined
    ? undefined
    : { object: converted, schema: objectSchema(schema) };
}
