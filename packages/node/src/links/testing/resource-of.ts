import type { Phase, Resource, ResourceDefinition } from '@bloomery/cosi';

/** A resource at its first version, without a state. */
export function resourceOf<S>(
  { type, namespace }: ResourceDefinition<S>,
  id: string,
  spec: S,
  phase: Phase = 'running',
): Resource<S> {
  return {
    metadata: {
      ...{ namespace, type, id, version: 1, owner: '', phase, createdMs: 0, updatedMs: 0 },
      ...{ labels: {}, annotations: {}, finalizers: [] },
    },
    spec,
  };
}
