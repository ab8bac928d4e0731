/** One MachineSet of a MachineDeployment, as far as sizes go. */
export interface SetSize {
  readonly name: string;
  readonly isNew: boolean;
  /** spec.replicas. */
  readonly replicas: number;
  /** Its Machines, also those on their way out. */
  readonly machines: number;
  /** Its Machines that stay, in the order in which they go when there are too many: is each one available? */
  readonly staying: readonly boolean[];
  /** Replicas and surge of the MachineDeployment when it was last scaled, by annotation. */
  readonly maxReplicas: number | undefined;
}

/** Sizes by name of the set. */
export type Sizes = ReadonlyMap<string, number>;

/** How many Machines of a set are available once it has this size: the ones that go are the first of `staying`. */
export function availableAt(set: SetSize, size: number): number {
  const going = Math.max(0, set.staying.length - size);
  return set.staying.slice(going).filter((isAvailable) => isAvailable).length;
}

/** How many Machines a set has or may make. */
export function footprint(set: SetSize): number {
  return Math.max(set.replicas, set.machines);
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
