import type { EventDraft, EventRecorder, ObjectCache } from '@bloomery/kube';
import { type MetalMachine, metalMachine, type ServerBinding, server } from '@bloomery/model';

/** The MetalMachine that a ServerBinding is for, as the cache has it. */
export function metalMachineOf(
  binding: Pick<ServerBinding, 'spec'> | undefined,
  cache: ObjectCache,
): MetalMachine | undefined {
  const { name, namespace = 'default' } = binding?.spec?.metalMachineRef ?? {};
  return name === undefined ? undefined : cache.get(metalMachine, { name, namespace });
}

/**
 * Record a Kubernetes Event of a machine on its Server and on the MetalMachine that it is bound to, as far as the cache has them.
 *
 * @param name Of the Server.
 */
export function recordAboutMachine(
  name: string,
  binding: ServerBinding | undefined,
  draft: EventDraft,
  { cache, events }: { readonly cache: ObjectCache; readonly events: EventRecorder },
): void {
  for (const about of [cache.get(server, { name }), metalMachineOf(binding, cache)]) {
    if (about !== undefined) events.record(about, draft);
  }
}
