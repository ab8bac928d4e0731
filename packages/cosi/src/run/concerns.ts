import type { Controller } from '../controller.ts';
import type { ChangeEvent } from '../state.ts';
import { namespaceOf } from './declared.ts';

/**
 * Whether a change wakes a controller: any of a weak or strong input; and of what is its own the end of the last finalizer, so that
 * it can be destroyed.
 */
export function concerns({ name, inputs, outputs }: Controller, { type, resource }: ChangeEvent): boolean {
  const { metadata } = resource;
  const isInput = inputs.some(
    (input) =>
      input.kind !== 'destroyReady' &&
      input.definition.type === metadata.type &&
      namespaceOf(input) === metadata.namespace &&
      (input.id === undefined || input.id === metadata.id),
  );
  if (isInput) return true;
  const isOurs = metadata.owner === name && outputs.some(({ definition }) => definition.type === metadata.type);
  return isOurs && type === 'updated' && metadata.phase === 'tearingDown' && metadata.finalizers.length === 0;
}
