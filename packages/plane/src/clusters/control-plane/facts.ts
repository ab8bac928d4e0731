import { findCondition } from '@bloomery/kube';
import type { Machine } from '@bloomery/model';
import { ANNOTATIONS } from '@bloomery/model';
import { type BootstrapChoice, readBootstrapChoice } from './bootstrap-choice.ts';
import { type EtcdPicture, isHealthyVoter, memberOf, readEtcd } from './etcd-health.ts';
import type { ControlPlaneMachine, ControlPlaneObservation } from './observation.ts';
import { type Difference, differencesOf, type RolloutStrategy, strategyOf } from './rollout.ts';

/**
 * Where a machine stands: `member` is a healthy voting member with a Node; `joining` never was one; `sick` was one, or is told to
 * be unhealthy.
 */
export type Standing = 'member' | 'joining' | 'sick';

/** What follows from an observation before anything is decided. */
export interface Facts {
  readonly observation: ControlPlaneObservation;
  readonly replicas: number;
  readonly strategy: RolloutStrategy;
  /** Not being deleted, the oldest first. */
  readonly current: readonly ControlPlaneMachine[];
  /** Being deleted. */
  readonly deleting: readonly ControlPlaneMachine[];
  readonly etcd: EtcdPicture;
  readonly choice: BootstrapChoice | undefined;
  /** Etcd of this cluster was bootstrapped, now or ever. */
  readonly bootstrapped: boolean;
  readonly standing: (machine: ControlPlaneMachine) => Standing;
  readonly differences: (machine: ControlPlaneMachine) => readonly Difference[];
}

/** Derive the facts. Pure. */
export function readFacts(observation: ControlPlaneObservation): Facts {
  const { controlPlane, machines, template } = observation;
  const etcd = readEtcd(machines);
  const groupKind = template.ok ? template.groupKind : undefined;
  return {
    observation,
    replicas: controlPlane.spec?.replicas ?? 1,
    strategy: strategyOf(controlPlane),
    current: machines.filter(({ machine }) => !isDeleting(machine)),
    deleting: machines.filter(({ machine }) => isDeleting(machine)),
    etcd,
    choice: readBootstrapChoice(controlPlane),
    bootstrapped: controlPlane.status?.bootstrapped === true || etcd.isKnown || machines.some(showsEtcd),
    standing: (machine) => standingOf(machine, etcd),
    differences: (machine) => differencesOf(machine, controlPlane, groupKind),
  };
}

export const isDeleting = (machine: Machine): boolean => machine.metadata.deletionTimestamp !== undefined;

/** Since when a machine is being taken out; undefined: it is not. */
export function leavingSince({ machine }: ControlPlaneMachine): number | undefined {
  const text = machine.metadata.annotations?.[ANNOTATIONS.leaving];
  if (text === undefined) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? 0 : at;
}

/** Whether the owner of the machine was told to replace it (MachineHealthCheck, or somebody by hand). */
export function isToBeRemediated({ machine }: ControlPlaneMachine): boolean {
  return findCondition(machine.status?.conditions, 'OwnerRemediated')?.status === 'False';
}

/** A machine's own sign that etcd was bootstrapped: data on its disk, or a running etcd. */
function showsEtcd({ talos }: ControlPlaneMachine): boolean {
  return talos.state === 'answers' && (talos.hasData === true || talos.etcd !== undefined);
}

function standingOf(machine: ControlPlaneMachine, etcd: EtcdPicture): Standing {
  const hasNode = Boolean(machine.machine.status?.nodeRef?.name);
  if (isToBeRemediated(machine)) return 'sick';
  if (isHealthyVoter(machine) && memberOf(etcd, machine.name) !== undefined) return hasNode ? 'member' : 'joining';
  return hasNode ? 'sick' : 'joining';
}
