import { availableAt, footprint, type SetSize, type Sizes, sum } from './set-size.ts';

/** How a MachineDeployment wants its Machines replaced. */
export interface RolloutLimits {
  readonly replicas: number;
  /** So many more than `replicas` may be there. */
  readonly maxSurge: number;
  /** So many fewer than `replicas` may be available. */
  readonly maxUnavailable: number;
}

/**
 * The next sizes of a rolling update: the new set grows as far as the surge allows, the old ones shrink as far as enough
 * Machines stay available; those of the old that are not available go first. Each change by itself keeps the limits, so that
 * it does not matter where we are killed. Sets must be ordered oldest first. Pure.
 */
export function rollSizes(sets: readonly SetSize[], limits: RolloutLimits): Sizes {
  const sizes = new Map(sets.map(({ name, replicas }) => [name, replicas]));
  const fresh = sets.find(({ isNew }) => isNew);
  if (fresh === undefined) return sizes;
  const size = grownSize(fresh, sets, limits.replicas + limits.maxSurge, limits.replicas);
  sizes.set(fresh.name, size);
  // The surge that was just given out counts as unavailable.
  shrinkOld(sets, sizes, { fresh, size, minAvailable: limits.replicas - limits.maxUnavailable });
  return sizes;
}

/** The size of the new set when there may be `most` Machines in all; never more than `replicas`. */
export function grownSize(fresh: SetSize, sets: readonly SetSize[], most: number, replicas: number): number {
  if (fresh.replicas >= replicas) return replicas;
  const room = most - sum(sets.map(footprint));
  return Math.min(replicas, fresh.replicas + Math.max(0, room));
}

function shrinkOld(
  sets: readonly SetSize[],
  sizes: Map<string, number>,
  { fresh, size, minAvailable }: { readonly fresh: SetSize; readonly size: number; readonly minAvailable: number },
): void {
  const sizeOf = ({ name }: SetSize): number => sizes.get(name) ?? 0;
  const available = (): number => sum(sets.map((set) => availableAt(set, sizeOf(set))));
  const unavailableNew = Math.max(0, size - availableAt(fresh, size));
  let budget = sum(sets.map(sizeOf)) - minAvailable - unavailableNew;
  const old = sets.filter(({ isNew }) => !isNew);
  const shrink = (set: SetSize): boolean => {
    const before = sizeOf(set);
    if (budget <= 0 || before <= 0) return false;
    const had = available();
    sizes.set(set.name, before - 1);
    const has = available();
    if (has < minAvailable && has < had) {
      sizes.set(set.name, before);
      return false;
    }
    budget -= 1;
    return true;
  };
  for (const set of old) while (sizeOf(set) > availableAt(set, sizeOf(set)) && shrink(set));
  for (const set of old) while (shrink(set));
}

/**
 * The next sizes under the strategy OnDelete: whoever deletes a Machine of an old set gets a new one in its place. Old sets only
 * shrink to what is left of them, or when there are too many in all. Pure.
 */
export function onDeleteSizes(sets: readonly SetSize[], replicas: number): Sizes {
  const sizes = new Map(sets.map(({ name, replicas: size }) => [name, size]));
  const fresh = sets.find(({ isNew }) => isNew);
  if (fresh !== undefined) sizes.set(fresh.name, grownSize(fresh, sets, replicas, replicas));
  const old = sets.filter(({ isNew }) => !isNew);
  for (const { name, replicas: size, staying } of old) sizes.set(name, Math.min(size, staying.length));
  let surplus = sum([...sizes.values()]) - replicas;
  for (const { name } of old) {
    const size = sizes.get(name) ?? 0;
    const taken = Math.max(0, Math.min(size, surplus));
    sizes.set(name, size - taken);
    surplus -= taken;
  }
  return sizes;
}
