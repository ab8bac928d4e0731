import type { Json, JsonObject, KubeObject } from '@bloomery/model';
import { isJsonObject, jsonEqual } from '@bloomery/model';

type Texts = Readonly<Record<string, string>>;

/** What an owner wants its objects to carry, without making them anew. */
export interface Propagated {
  readonly labels: Texts;
  readonly annotations: Texts;
  /** Fields of spec by name; undefined: not set any more. */
  readonly spec?: Readonly<Record<string, Json | undefined>>;
}

/**
 * The patch that brings labels, annotations and fields up to date; undefined when nothing differs. What the owner wrote before,
 * under this field manager, and no longer wants goes; what others wrote stays.
 */
export function propagationPatch(object: KubeObject, wanted: Propagated, manager: string): JsonObject | undefined {
  const owned = ownedFields(object, manager);
  const { labels, annotations } = object.metadata;
  const meta = {
    ...difference('labels', labels, wanted.labels, owned('f:metadata', 'f:labels')),
    ...difference('annotations', annotations, wanted.annotations, owned('f:metadata', 'f:annotations')),
  };
  const spec = specDifference(object, wanted.spec ?? {}, owned('f:spec'));
  if (Object.keys(meta).length === 0 && spec === undefined) return undefined;
  return {
    ...(Object.keys(meta).length === 0 ? {} : { metadata: meta }),
    ...(spec === undefined ? {} : { spec }),
  };
}

function difference(field: string, have: Texts = {}, want: Texts, owned: ReadonlySet<string>): JsonObject {
  const changes: Record<string, Json> = {};
  for (const [name, value] of Object.entries(want)) if (have[name] !== value) changes[name] = value;
  for (const name of owned) if (have[name] !== undefined && !Object.hasOwn(want, name)) changes[name] = null;
  return Object.keys(changes).length === 0 ? {} : { [field]: changes };
}

function specDifference(
  object: KubeObject,
  want: NonNullable<Propagated['spec']>,
  owned: ReadonlySet<string>,
): JsonObject | undefined {
  const { spec } = object as { readonly spec?: JsonObject };
  const changes: Record<string, Json> = {};
  for (const [name, value] of Object.entries(want)) {
    const have = spec?.[name];
    if (value !== undefined && !jsonEqual(have, value)) changes[name] = value;
    if (value === undefined && have !== undefined && owned.has(name)) changes[name] = null;
  }
  return Object.keys(changes).length === 0 ? undefined : changes;
}

/** Names of the fields below a path that a manager wrote last, by managedFields. */
function ownedFields(object: KubeObject, manager: string): (...path: readonly string[]) => ReadonlySet<string> {
  const entries = (object.metadata.managedFields ?? []).filter(isJsonObject).filter((e) => e['manager'] === manager);
  return (...path) => {
    const names = entries.flatMap((entry) => {
      const at = path.reduce<Json | undefined>((v, name) => (isJsonObject(v) ? v[name] : undefined), entry['fieldsV1']);
      return isJsonObject(at) ? Object.keys(at) : [];
    });
    return new Set(names.filter((name) => name.startsWith('f:')).map((name) => name.slice(2)));
  };
}
