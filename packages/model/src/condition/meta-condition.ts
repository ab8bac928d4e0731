import type { Infer } from '../schema.ts';
import type { metaConditionsSchema } from '../shared-schema.ts';
import { timeText } from '../time-text.ts';

/** metav1.Condition, as newer API versions carry it. */
export type MetaCondition = Infer<typeof metaConditionsSchema>[number];

/**
 * Set a metav1 condition: lastTransitionTime moves only when status changes. Returns the same list when nothing changed.
 */
export function setMetaCondition(
  conditions: readonly MetaCondition[] | undefined,
  draft: Omit<MetaCondition, 'lastTransitionTime'>,
  nowMs: number,
): readonly MetaCondition[] {
  const old = conditions?.find((c) => c.type === draft.type);
  const lastTransitionTime = old?.status === draft.status ? old.lastTransitionTime : timeText(nowMs);
  const next: MetaCondition = { ...draft, lastTransitionTime };
  if (conditions !== undefined && old !== undefined && isSame(old, next)) return conditions;
  if (old === undefined) return [...(conditions ?? []), next];
  return (conditions ?? []).map((c) => (c.type === draft.type ? next : c));
}

function isSame(a: MetaCondition, b: MetaCondition): boolean {
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.observedGeneration === b.observedGeneration
  );
}
