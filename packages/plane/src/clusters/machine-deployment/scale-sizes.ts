import type { RolloutLimits } from './roll.ts';
import { availableAt, type SetSize, type Sizes, sum } from './set-size.ts';

/**
 * The sizes after somebody changed spec.replicas, also in the middle of a rollout or of a pause: each set keeps its share, so
 * that a template that does not work does not get more of the Machines. Without a rollout under way the one active set, else
 * the newest, takes it all. Sets must be ordered oldest first. Pure.
 */
export function scaleSizes(sets: readonly SetSize[], limits: RolloutLimits): Sizes {
  const sizes = new Map(sets.map(({ name, replicas }) => [name, replicas]));
  const active = sets.filter(({ replicas }) => replicas > 0);
  const fresh = sets.find(({ isNew }) => isNew);
  if (active.length <= 1) {
    const only = active[0] ?? fresh ?? sets.at(-1);
    if (only !== undefined) sizes.set(only.name, limits.replicas);
    return sizes;
  }
  const isSaturated = fresh !== undefined && availableAt(fresh, fresh.replicas) >= limits.replicas;
  if (isSaturated && fresh.replicas === limits.replicas) {
    for (const { name, isNew } of active) if (!isNew) sizes.set(name, 0);
    return sizes;
  }
  const allowed = limits.replicas > 0 ? limits.replicas + limits.maxSurge : 0;
  shareOut(active, sizes, allowed);
  keepAvailable(active, sizes, limits.replicas - limits.maxUnavailable);
  return sizes;
}

/** Change the sizes to `allowed` in all, each in proportion; what is left over goes to or comes from the largest. */
function shareOut(active: readonly SetSize[], sizes: Map<string, number>, allowed: number): void {
  const change = allowed - sum(active.map(({ replicas }) => replicas));
  if (change === 0) return;
  const newestFirst = change > 0;
  const order = active
    .map((set, age) => ({ set, age }))
    .sort((a, b) => b.set.replicas - a.set.replicas || (newestFirst ? b.age - a.age : a.age - b.age))
    .map(({ set }) => set);
  let left = change;
  const total = sum(active.map(({ replicas }) => replicas));
  for (const { name, replicas, maxReplicas } of order) {
    const share = Math.round((replicas * allowed) / (maxReplicas ?? total)) - replicas;
    const part = change > 0 ? Math.max(0, Math.min(share, left)) : Math.min(0, Math.max(share, left, -replicas));
    sizes.set(name, replicas + part);
    left -= part;
  }
  for (const { name } of order) {
    const size = sizes.get(name) ?? 0;
    const part = Math.max(left, -size);
    sizes.set(name, size + part);
    left -= part;
  }
}

/** Rounding must not take available Machines away while others are not: their sets change places, one Machine at a time. */
function keepAvailable(active: readonly SetSize[], sizes: Map<string, number>, minAvailable: number): void {
  const sizeOf = ({ name }: SetSize): number => sizes.get(name) ?? 0;
  const gain = (set: SetSize, by: number): number => availableAt(set, sizeOf(set) + by) - availableAt(set, sizeOf(set));
  for (;;) {
    if (sum(active.map((set) => availableAt(set, sizeOf(set)))) >= minAvailable) return;
    const giver = active.find((set) => sizeOf(set) < set.replicas && gain(set, 1) > 0);
    const taker = active.find((set) => set !== giver && sizeOf(set) > 0 && gain(set, -1) === 0);
    if (giver === undefined || taker === undefined) return;
    sizes.set(giver.name, sizeOf(giver) + 1);
    sizes.set(taker.name, sizeOf(taker) - 1);
  }
}
