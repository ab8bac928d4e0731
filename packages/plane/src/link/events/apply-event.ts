import { type ObjectCache, type ObjectClient, patchObject, patchStatus } from '@bloomery/kube';
import { type JsonObject, type ServerBinding, serverBinding } from '@bloomery/model';
import type { Clock } from '@bloomery/ports';
import type { EventPlan } from './plan-event.ts';

/** What writing needs. */
export interface ApplyDeps {
  readonly client: ObjectClient;
  readonly cache: ObjectCache;
  readonly clock: Clock;
}

/**
 * Write what differs to the ServerBinding of this name, again after conflicts. Nothing differs: nothing is written.
 *
 * @returns the binding as it is then; for a plan without changes as the cache has it, which may be not yet or not any more.
 * @throws BLM_API_NOT_FOUND when there are changes and the binding is gone.
 */
export async function applyPlan(name: string, plan: EventPlan, deps: ApplyDeps): Promise<ServerBinding | undefined> {
  const { spec, conditions } = plan;
  const key = { name };
  if (conditions !== undefined) return patchStatus(deps, serverBinding, key, () => ({ conditions }));
  if (spec !== undefined) return patchObject(deps.client, serverBinding, key, (have) => specPatch(have, spec));
  return deps.cache.get(serverBinding, key);
}

/** Replaces, never merges: what the machine does not name any more is gone. */
function specPatch(
  have: ServerBinding,
  { addresses, hostname }: NonNullable<EventPlan['spec']>,
): JsonObject | undefined {
  const isSame =
    (have.spec?.hostname ?? '') === hostname &&
    JSON.stringify(have.spec?.addresses ?? []) === JSON.stringify(addresses);
  return isSame ? undefined : { spec: { addresses, hostname } };
}
