import type { Condition, Json, JsonObject, KindRef, KubeObject, ObjectKey } from '@bloomery/model';
import { isJsonObject } from '@bloomery/model';
import { type Clock, isBloomeryError } from '@bloomery/ports';
import { type ConditionChange, mergeConditions } from './conditions.ts';
import { diffMergePatch, mergePatch } from './merge-patch.ts';
import type { ObjectClient, Subresource } from './object-client.ts';

/** A merge patch of status, except that `conditions` are merged by type (status null takes one away). */
export type StatusPatch = { readonly conditions?: readonly ConditionChange[] } & {
  readonly [field: string]: unknown;
};

const MAX_ATTEMPTS = 10;

async function write<T extends KubeObject>(
  client: ObjectClient,
  kind: KindRef<T>,
  key: ObjectKey,
  change: (object: T) => JsonObject | undefined,
  subresource?: Subresource,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const object = await client.get(kind, key);
    const patch = change(object);
    if (patch === undefined) return object;
    const { metadata } = patch;
    const { resourceVersion } = object.metadata;
    const body = { ...patch, metadata: { ...(isJsonObject(metadata) ? metadata : {}), resourceVersion } };
    try {
      return await client.patch(kind, key, { type: 'merge', body }, subresource === undefined ? {} : { subresource });
    } catch (error) {
      if (!isBloomeryError(error, 'BLM_API_CONFLICT') || attempt >= MAX_ATTEMPTS) throw error;
    }
  }
}

/**
 * Read, decide, write with a merge patch, and do it again when somebody else was faster (10 times). `change` returns the
 * patch, or undefined for none; it may be called several times and must be pure. Returns the object as stored.
 * @throws BLM_API_NOT_FOUND when the object is gone, BLM_API_CONFLICT when ten attempts lost.
 */
export function patchObject<T extends KubeObject>(
  client: ObjectClient,
  kind: KindRef<T>,
  key: ObjectKey,
  change: (object: T) => JsonObject | undefined,
): Promise<T> {
  return write(client, kind, key, change);
}

/**
 * Change status fields and conditions of an object, keeping what others wrote, with retry on conflict. Nothing is written
 * when nothing differs. `change` returns the status patch, or undefined for none; it may be called several times.
 * @throws BLM_API_NOT_FOUND when the object is gone.
 */
export function patchStatus<T extends KubeObject>(
  deps: { readonly client: ObjectClient; readonly clock: Clock },
  kind: KindRef<T>,
  key: ObjectKey,
  change: (object: T) => StatusPatch | undefined,
): Promise<T> {
  const decide = (object: T): JsonObject | undefined => {
    const wanted = change(object);
    if (wanted === undefined) return undefined;
    const status = (object as { readonly status?: JsonObject }).status ?? {};
    const { conditions: changes, ...fields } = wanted;
    const next: Record<string, Json | undefined> = { ...mergePatch(status, fields as JsonObject) };
    if (changes !== undefined) {
      const have = (status['conditions'] ?? []) as unknown as readonly Condition[];
      const merged = mergeConditions(have, changes, deps.clock.nowMs());
      if (merged.length > 0 || have.length > 0) next['conditions'] = merged as unknown as Json;
    }
    const diff = diffMergePatch(status, next);
    return diff === undefined ? undefined : { status: diff };
  };
  return write(deps.client, kind, key, decide, 'status');
}

/** Add or remove one finalizer, keeping the others. Nothing happens when it is already so or the object is gone. */
export async function setFinalizer<T extends KubeObject>(
  client: ObjectClient,
  kind: KindRef<T>,
  key: ObjectKey,
  finalizer: string,
  wanted: 'present' | 'absent',
): Promise<void> {
  try {
    await patchObject(client, kind, key, ({ metadata }) => {
      const have = metadata.finalizers ?? [];
      if (have.includes(finalizer) === (wanted === 'present')) return undefined;
      if (wanted === 'present') {
        return metadata.deletionTimestamp === undefined
          ? { metadata: { finalizers: [...have, finalizer] } }
          : undefined;
      }
      const rest = have.filter((name) => name !== finalizer);
      return { metadata: { finalizers: rest.length === 0 ? null : rest } };
    });
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
  }
}
