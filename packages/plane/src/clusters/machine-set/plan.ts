import { ANNOTATIONS, compileLabelSelector, type Machine, type MachineSet } from '@bloomery/model';
import type { Wait } from '../../allocation/wait.ts';
import { awaitsRemediation, isMarkedUnhealthy } from '../contract/machine-state.ts';
import { controllerOf, isControlledBy } from '../contract/owner-reference.ts';
import { machinesToDelete } from './delete-order.ts';

/** A MachineSet and everything that its next step depends on. */
export interface MachineSetInput {
  readonly machineSet: MachineSet;
  /** The Machines of its Cluster, in its namespace. */
  readonly machines: readonly Machine[];
  /** What stands against making Machines now. */
  readonly preflight: Wait | undefined;
  /** How its MachineDeployment wants Machines to be replaced; undefined: it stands alone. */
  readonly deployment: { readonly isCurrent: boolean; readonly maxInFlight: number | undefined } | undefined;
}

export interface MachineSetPlan {
  /** Selected, and nobody's: to become ours. */
  readonly adopt: readonly Machine[];
  /** Ours, and no longer selected: to be let go. */
  readonly release: readonly Machine[];
  /** Ours after both, also those on their way out. */
  readonly members: readonly Machine[];
  /** Unhealthy and to be deleted. */
  readonly remediate: readonly Machine[];
  /** Too many. */
  readonly remove: readonly Machine[];
  /** How many to make. */
  readonly create: number;
  /** Why not all that should be made or replaced is. */
  readonly held: Wait | undefined;
}

/**
 * Decide the next step of a MachineSet. Machines that are being deleted count until they are gone: a server comes free before
 * another is asked for. Pure.
 */
export function planMachineSet(input: MachineSetInput, nowMs: number): MachineSetPlan {
  const { machineSet: set, preflight } = input;
  const { adopt, release, members } = membersOf(set, input.machines);
  const remediate = preflight === undefined ? toRemediate(input, members, nowMs) : [];
  const isHeldBack = preflight !== undefined && members.some(awaitsRemediation);
  const isGoing = (machine: Machine): boolean =>
    machine.metadata.deletionTimestamp !== undefined || remediate.includes(machine);
  const surplus = members.length - (set.spec?.replicas ?? 1);
  const staying = members.filter((machine) => !isGoing(machine));
  const policy = set.spec?.deletePolicy ?? 'Random';
  const missing = Math.max(0, -surplus);
  const mayCreate = set.metadata.annotations?.[ANNOTATIONS.disableMachineCreate] === undefined;
  const wanted = mayCreate ? missing : 0;
  return {
    adopt,
    release,
    members,
    remediate,
    remove: machinesToDelete(staying, surplus - (members.length - staying.length), policy, nowMs),
    create: preflight === undefined ? wanted : 0,
    held: wanted > 0 || isHeldBack ? preflight : undefined,
  };
}

/** Does the plan change anything that must not be decided by a cache that lies behind? */
export function needsFreshRead({ adopt, release, remediate, remove, create }: MachineSetPlan): boolean {
  return adopt.length + release.length + remediate.length + remove.length + create > 0;
}

/** The Machines of a set, and which come and go because of their labels. */
export function membersOf(
  set: MachineSet,
  machines: readonly Machine[],
): Pick<MachineSetPlan, 'adopt' | 'release' | 'members'> {
  const selector = compileLabelSelector(set.spec?.selector);
  const owned = machines.filter((machine) => isControlledBy(machine, set));
  if (!selector.ok) return { adopt: [], release: [], members: owned };
  const isSelected = ({ metadata }: Machine): boolean => selector.matches(metadata.labels);
  const isGoing = ({ metadata }: Machine): boolean => metadata.deletionTimestamp !== undefined;
  const release = owned.filter((machine) => !isSelected(machine) && !isGoing(machine));
  const adopt = machines.filter(
    (machine) => controllerOf(machine) === undefined && isSelected(machine) && !isGoing(machine),
  );
  return { adopt, release, members: [...owned.filter((machine) => !release.includes(machine)), ...adopt] };
}

/** Unhealthy Machines that may go now, and no more of them at a time than the MachineDeployment allows. */
function toRemediate({ deployment }: MachineSetInput, members: readonly Machine[], nowMs: number): readonly Machine[] {
  if (deployment?.isCurrent === false) return [];
  const inFlight = members.filter(
    ({ metadata, status }) => metadata.deletionTimestamp !== undefined && isMarkedUnhealthy(status),
  );
  const waiting = members.filter(awaitsRemediation);
  const most = deployment?.maxInFlight ?? waiting.length + inFlight.length;
  return machinesToDelete(waiting, most - inFlight.length, 'Oldest', nowMs);
}
