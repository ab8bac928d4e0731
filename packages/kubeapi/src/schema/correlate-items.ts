import { isJsonObject, type Json, type schema } from '@bloomery/model';
import { ownMember } from './field-path.ts';
import { goJson } from './go-text.ts';

/** Finds the old item of an item of a list: by the keys of a `map` list; in other lists nothing corresponds. */
export function correlateItems(schema: schema.Schema, old: Json | undefined): (item: Json) => Json | undefined {
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  if (!Array.isArray(old) || schema['x-kubernetes-list-type'] !== 'map' || keys.length === 0) return () => undefined;
  const keyOf = (item: Json): string | undefined =>
    isJsonObject(item) ? goJson(keys.map((key) => ownMember(item, key) ?? null)) : undefined;
  const byKey = new Map(old.map((item: Json) => [keyOf(item), item]));
  return (item) => byKey.get(keyOf(item));
}
