import { asList, asObject, compact } from '../../conversion-data.ts';
import type { Json, JsonObject } from '../../json.ts';
import { isJsonObject } from '../../kind.ts';
import { integer, object, type Schema, string, type Typed } from '../../schema.ts';
import { conditionsSchema, metaConditionsSchema } from '../../shared-schema.ts';

/** Conditions as Kubernetes has them now, at most 32. */
export const newConditionsSchema: typeof metaConditionsSchema = { ...metaConditionsSchema, maxItems: 32 };

type Fields = { readonly [name: string]: Typed<unknown> };

/** Where v1beta2 keeps what only v1beta1 had: its conditions, and these fields. */
export function deprecatedSchema<F extends Fields>(fields: F) {
  return object({}, { v1beta1: object({}, { conditions: conditionsSchema, ...fields }) });
}

/** How a failure was told before v1beta2. */
export const failureFields = {
  failureReason: string(),
  failureMessage: string({ minLength: 1, maxLength: 10240 }),
};

/** The generation that a status is about. */
export const observedGenerationSchema = integer({ format: 'int64', minimum: 1 });

/** Conditions that have another name in v1beta2. */
const NEW_NAMES: Readonly<Record<string, string>> = { BootstrapReady: 'BootstrapConfigReady' };

/**
 * Conditions of v1beta2: those that were written as such, and the older ones under their name where nobody wrote a newer one.
 * undefined for none.
 */
export function conditionsDown(status: JsonObject): Json | undefined {
  const written = asList(asObject(status['v1beta2'])['conditions']).filter(isJsonObject);
  const names = new Set(written.map(({ type }) => type));
  const older = asList(status['conditions']).filter(isJsonObject).map(asNew);
  const all = [...written, ...older.filter(({ type }) => !names.has(type))];
  return all.length === 0 ? undefined : all.slice(0, 32);
}

function asNew({ type, status, reason, message, lastTransitionTime }: JsonObject): JsonObject {
  const name = NEW_NAMES[String(type)] ?? type;
  return compact({
    type: name,
    status,
    reason: typeof reason === 'string' && reason !== '' ? reason : status === 'True' ? name : `Not${String(name)}`,
    message: message ?? '',
    lastTransitionTime,
  });
}

/** What v1beta1 has of new conditions: only what differs from what was shown of the older ones. */
export function conditionsUp(conditions: Json | undefined, older: Json | undefined): readonly JsonObject[] {
  const shown = new Map(
    asList(conditionsDown({ conditions: older ?? [] }))
      .filter(isJsonObject)
      .map((condition) => [condition['type'], JSON.stringify(condition)]),
  );
  return asList(conditions)
    .filter(isJsonObject)
    .filter((condition) => shown.get(condition['type']) !== JSON.stringify(condition));
}

/** The object, undefined where it is empty: v1beta2 has no empty objects. */
export function unlessEmpty(value: JsonObject): JsonObject | undefined {
  const kept = compact(value);
  return Object.keys(kept).length === 0 ? undefined : kept;
}

/** A schema that must not be empty, as most of v1beta2's objects. */
export function notEmpty<T>(schema: Typed<T>): Typed<T> {
  const limited: Schema = { ...schema, minProperties: 1 };
  return limited;
}
