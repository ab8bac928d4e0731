import type { ObjectClient } from '@bloomery/kube';
import type { KindRef, KubeObject, Machine, MachineSet } from '@bloomery/model';
import { keyOf, machine } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import { cachedObject } from '../contract/claim-template.ts';
import { type Propagated, propagationPatch } from '../contract/propagate.ts';
import type { ProviderKinds } from '../contract/provider-object.ts';
import { MACHINE_SET_MANAGER, propagatedTo } from './machine-of.ts';

interface Deps {
  readonly client: ObjectClient;
  readonly kinds: ProviderKinds;
}

/**
 * Bring labels, annotations and time spans of the template to the Machines that are there, and labels and annotations to their
 * infrastructure and bootstrap configs. Machines on their way out only get what is about deleting them.
 */
export async function propagateToMachines(set: MachineSet, members: readonly Machine[], deps: Deps): Promise<void> {
  const wanted = propagatedTo(set);
  const { labels, annotations, spec } = wanted;
  const { readinessGates: _gates, ...timeouts } = spec;
  for (const member of members) {
    const isGoing = member.metadata.deletionTimestamp !== undefined;
    if (isGoing) {
      await propagate(deps.client, machine, member, { labels: {}, annotations: {}, spec: timeouts });
      continue;
    }
    await propagate(deps.client, machine, member, wanted);
    for (const ref of [member.spec?.infrastructureRef, member.spec?.bootstrap.configRef]) {
      const kind = ref?.name === undefined ? undefined : (await deps.kinds.resolver.resolve(ref))?.kind;
      const object = kind && (await cachedObject(deps.kinds, ref, member.metadata.namespace ?? 'default'));
      if (kind !== undefined && object !== undefined)
        await propagate(deps.client, kind, object, { labels, annotations });
    }
  }
}

async function propagate<T extends KubeObject>(
  client: ObjectClient,
  kind: KindRef<T>,
  object: T,
  wanted: Propagated,
): Promise<void> {
  const body = propagationPatch(object, wanted, MACHINE_SET_MANAGER);
  if (body === undefined) return;
  try {
    await client.patch(kind, keyOf(object), { type: 'merge', body }, { fieldManager: MACHINE_SET_MANAGER });
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
  }
}
