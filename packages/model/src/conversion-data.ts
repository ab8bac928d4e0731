import { BloomeryError, errorText } from '@bloomery/ports';
import type { Json, JsonObject } from './json.ts';
import { jsonEqual } from './json-equal.ts';
import { parseJson, stringifyJson } from './json-text.ts';
import type { KindDefinition } from './kind.ts';
import { isJsonObject } from './kind.ts';

/** Annotation of an object in an old version: the stored object that it was made from, as JSON without metadata. */
export const CONVERSION_DATA = 'cluster.x-k8s.io/conversion-data';

/** Spec and status of an object: what a conversion changes. */
export interface Body {
  readonly spec?: JsonObject | undefined;
  readonly status?: JsonObject | undefined;
}

/** How one old version maps to the stored one. */
export interface SpokeRules {
  /** apiVersion of the stored version. */
  readonly hub: string;
  /** apiVersion of the old version. */
  readonly spoke: string;
  /** Say a stored body in the old version; what it cannot say is left out. */
  readonly down: (hub: Body) => Body;
  /**
   * Say an old body in the stored version. `before` is there when the old object was made from a stored one: `before.hub`
   * is that one and `before.spoke` how it looked in the old version. What did not change keeps the stored value.
   */
  readonly up: (spoke: Body, before: Before | undefined) => Body;
}

/** The stored body that an object in the old version was made from, and how it looked there. */
export interface Before {
  readonly hub: Body;
  readonly spoke: Body;
}

/**
 * Make lossless conversion functions: down-conversion keeps the stored object in the annotation CONVERSION_DATA,
 * up-conversion starts from it, lets edits win, and consumes it (spec/metal.md §5).
 *
 * @throws (toStorage) BloomeryError BLM_API_BAD_REQUEST when the annotation is not a JSON object.
 */
export function spokeConversion(rules: SpokeRules): NonNullable<KindDefinition['convert']> {
  return {
    fromStorage: (object) => {
      const { spec, status } = bodyOf(object);
      const kept: JsonObject = { apiVersion: rules.hub, kind: object['kind'], spec, status };
      const metadata = asObject(object['metadata']);
      const annotations = { ...asObject(metadata['annotations']), [CONVERSION_DATA]: stringifyJson(kept) };
      return assemble(object, rules.spoke, { ...metadata, annotations }, rules.down({ spec, status }));
    },
    toStorage: (object) => {
      const metadata = asObject(object['metadata']);
      const { [CONVERSION_DATA]: text, ...annotations } = asObject(metadata['annotations']);
      const hub = text === undefined ? undefined : readKept(text);
      const before = hub && { hub, spoke: rules.down(hub) };
      const { annotations: _dropped, ...rest } = metadata;
      const kept = Object.keys(annotations).length > 0 || text === undefined ? metadata['annotations'] : undefined;
      const next = text === undefined ? metadata : kept === undefined ? rest : { ...rest, annotations };
      return assemble(object, rules.hub, next, restored(rules.up, bodyOf(object), before));
    },
  };
}

function restored(up: SpokeRules['up'], spoke: Body, before: Before | undefined): Body {
  const edited = up(spoke, before);
  if (before === undefined) return edited;
  return {
    spec: jsonEqual(spoke.spec, before.spoke.spec) ? before.hub.spec : edited.spec,
    status: jsonEqual(spoke.status, before.spoke.status) ? before.hub.status : edited.status,
  };
}

/** The value of a field after an edit in the old version: what was not edited keeps the stored value. */
export function unlessEdited(
  now: Json | undefined,
  before: Json | undefined,
  stored: Json | undefined,
): Json | undefined {
  return jsonEqual(now, before) ? stored : now;
}

/** An object, or an empty one for anything else. */
export function asObject(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** A list, or an empty one for anything else. */
export function asList(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** The object without its undefined members; undefined when `value` is. */
export function compact(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined));
}

/** The object without the named members. */
export function without(value: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

/** Only the named members of an object that are there. */
export function only(value: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([name, v]) => names.includes(name) && v !== undefined));
}

function bodyOf(object: JsonObject): Body {
  const { spec, status } = object;
  return { spec: isJsonObject(spec) ? spec : undefined, status: isJsonObject(status) ? status : undefined };
}

function readKept(text: Json): Body {
  let value: Json | undefined;
  try {
    value = typeof text === 'string' ? parseJson(text) : undefined;
  } catch (cause) {
    throw new BloomeryError(
      'BLM_API_BAD_REQUEST',
      `converting the object: annotation ${CONVERSION_DATA} is not JSON: ${errorText(cause)}; remove the annotation`,
      { cause },
    );
  }
  if (!isJsonObject(value)) {
    throw new BloomeryError(
      'BLM_API_BAD_REQUEST',
      `converting the object: annotation ${CONVERSION_DATA} is not a JSON object; remove the annotation`,
    );
  }
  return bodyOf(value);
}

function assemble(object: JsonObject, apiVersion: string, metadata: JsonObject, body: Body): JsonObject {
  const { spec: _spec, status: _status, ...rest } = object;
  return compact({
    ...rest,
    apiVersion,
    metadata: object['metadata'] === undefined ? undefined : metadata,
    spec: body.spec,
    status: body.status,
  });
}
