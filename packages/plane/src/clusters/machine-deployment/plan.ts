import type { Machine, MachineDeployment, MachineSet } from '@bloomery/model';
import { ANNOTATIONS, jsonEqual, scaledValue } from '@bloomery/model';
import { readySinceMs } from '../contract/machine-state.ts';
import { isControlledBy } from '../contract/owner-reference.ts';
import { machinesToDelete } from '../machine-set/delete-order.ts';
import { grownSize, onDeleteSizes, type RolloutLimits, rollSizes } from './roll.ts';
import { scaleSizes } from './scale-sizes.ts';
import type { SetSize, Sizes } from './set-size.ts';
import { rolloutFields } from './template-hash.ts';

/** A MachineDeployment and everything that its next step depends on. */
export interface MachineDeploymentInput {
  readonly deployment: MachineDeployment;
  /** Its MachineSets, also those on their way out. */
  readonly sets: readonly MachineSet[];
  /** The Machines of its Cluster. */
  readonly machines: readonly Machine[];
}

export interface MachineDeploymentPlan {
  /** The set of the present template; undefined: it is to be made, or waits for the end of a pause. */
  readonly fresh: MachineSet | undefined;
  /** All others, oldest first. */
  readonly old: readonly MachineSet[];
  /** The size to begin with, when the set of the present template is to be made. */
  readonly create: number | undefined;
  readonly sizes: Sizes;
  readonly limits: RolloutLimits;
}

/** Decide the next step of a MachineDeployment. Pure. */
export function planMachineDeployment(input: MachineDeploymentInput, nowMs: number): MachineDeploymentPlan {
  const { deployment, sets } = input;
  const ordered = sets.toSorted(byAge);
  const fresh = findFresh(deployment, ordered, nowMs);
  const old = ordered.filter((set) => set !== fresh);
  const limits = limitsOf(deployment);
  const isPaused = deployment.spec?.paused === true;
  const known = ordered.map((set) => sizeOf(set, set === fresh, input, nowMs));
  if (fresh === undefined && !isPaused) {
    const none: SetSize = { name: '', isNew: true, replicas: 0, machines: 0, staying: [], maxReplicas: undefined };
    const most = isOnDelete(deployment) ? limits.replicas : limits.replicas + limits.maxSurge;
    const create = grownSize(none, known, most, limits.replicas);
    return { fresh, old, create, sizes: new Map(), limits };
  }
  return { fresh, old, create: undefined, sizes: nextSizes(deployment, ordered, known, limits), limits };
}

function nextSizes(
  deployment: MachineDeployment,
  sets: readonly MachineSet[],
  known: readonly SetSize[],
  limits: RolloutLimits,
): Sizes {
  if (deployment.spec?.paused === true) return isRescaled(sets, limits) ? scaleSizes(known, limits) : new Map();
  if (isOnDelete(deployment)) return onDeleteSizes(known, limits.replicas);
  return isRescaled(sets, limits) ? scaleSizes(known, limits) : rollSizes(known, limits);
}

/** Somebody changed spec.replicas since the active sets were last scaled. */
function isRescaled(sets: readonly MachineSet[], { replicas }: RolloutLimits): boolean {
  return sets.some(({ metadata, spec }) => {
    const desired = metadata.annotations?.[ANNOTATIONS.desiredReplicas];
    return (spec?.replicas ?? 0) > 0 && desired !== undefined && desired !== String(replicas);
  });
}

export function isOnDelete({ spec }: MachineDeployment): boolean {
  return spec?.strategy?.type === 'OnDelete';
}

/** The limits in Machines: a share of the surge is rounded up, of what may be missing down; never both 0. */
export function limitsOf(deployment: MachineDeployment): RolloutLimits {
  const { spec } = deployment;
  const replicas = Math.max(0, spec?.replicas ?? 1);
  if (isOnDelete(deployment)) return { replicas, maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge: surge = 1, maxUnavailable: missing = 0 } = spec?.strategy?.rollingUpdate ?? {};
  const maxSurge = Math.max(0, scaledValue(surge, replicas, 'up') ?? 1);
  const share = scaledValue(missing, replicas, 'down') ?? 0;
  return { replicas, maxSurge, maxUnavailable: Math.min(replicas, Math.max(maxSurge === 0 ? 1 : 0, share)) };
}

/**
 * The set whose template makes the same Machines: the largest, then the oldest. Once rolloutAfter has passed, only one that was
 * made since then.
 */
function findFresh({ spec }: MachineDeployment, sets: readonly MachineSet[], nowMs: number): MachineSet | undefined {
  const wanted = rolloutFields(spec?.template);
  const afterMs = spec?.rolloutAfter === undefined ? undefined : Date.parse(spec.rolloutAfter);
  const isDue = afterMs !== undefined && nowMs >= afterMs;
  return sets
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .filter((set) => jsonEqual(rolloutFields(set.spec?.template), wanted))
    .filter(({ metadata }) => !isDue || Date.parse(metadata.creationTimestamp ?? '') >= secondOf(afterMs))
    .toSorted((a, b) => (b.spec?.replicas ?? 0) - (a.spec?.replicas ?? 0) || byAge(a, b))[0];
}

/** Creation times have no fractions: one of the same second counts as later. */
function secondOf(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

function sizeOf(set: MachineSet, isNew: boolean, { machines }: MachineDeploymentInput, nowMs: number): SetSize {
  const own = machines.filter((machine) => isControlledBy(machine, set));
  const staying = own.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const order = machinesToDelete(staying, staying.length, set.spec?.deletePolicy ?? 'Random', nowMs);
  const most = Number(set.metadata.annotations?.[ANNOTATIONS.maxReplicas]);
  return {
    name: set.metadata.name,
    isNew,
    replicas: set.metadata.deletionTimestamp === undefined ? (set.spec?.replicas ?? 0) : 0,
    machines: own.length,
    staying: order.map((machine) => isAvailable(machine, set.spec?.minReadySeconds ?? 0, nowMs)),
    maxReplicas: Number.isInteger(most) && most > 0 ? most : undefined,
  };
}

function isAvailable(machine: Machine, minReadySeconds: number, nowMs: number): boolean {
  const since = readySinceMs(machine);
  return since !== undefined && nowMs - since >= minReadySeconds * 1000;
}

function byAge(a: MachineSet, b: MachineSet): number {
  const [x = '', y = ''] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (x !== y) return x < y ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
