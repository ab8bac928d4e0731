import { ANNOTATIONS, FINALIZERS } from '@bloomery/model';
import type { Wait } from '../../allocation/wait.ts';
import type { ControlPlaneAction } from './action.ts';
import { planBootstrap } from './bootstrap.ts';
import { planDeletion } from './deletion.ts';
import { type Facts, readFacts } from './facts.ts';
import { planHousekeeping, planMachineMarks } from './housekeeping.ts';
import { planInPlace } from './in-place.ts';
import type { ControlPlaneObservation } from './observation.ts';
import { planRemediation } from './remediation.ts';
import { planRemovals } from './removal.ts';
import { planRollingUpdate } from './replace.ts';
import { planScaleDown, planScaleUp, remediationSurge } from './scale.ts';
import { planSettling } from './settling.ts';
import { firstStep, SETTLED, type Step } from './step.ts';

/** What to do next, and what is waited for meanwhile. */
export interface ControlPlanePlan {
  readonly facts: Facts;
  readonly action: ControlPlaneAction | undefined;
  /** undefined: everything is as it should be. */
  readonly wait: Wait | undefined;
}

/** Decide the one next change of a control plane. Pure: the same observation always gives the same plan. */
export function planControlPlane(observation: ControlPlaneObservation): ControlPlanePlan {
  const facts = readFacts(observation);
  const { action, wait } = decide(facts);
  return { facts, action, wait: wait ?? (action === undefined ? undefined : busy(action, facts)) };
}

function decide(facts: Facts): Step {
  const { controlPlane, cluster } = facts.observation;
  const { metadata } = controlPlane;
  if (metadata.deletionTimestamp !== undefined) return planDeletion(facts);
  if (cluster === undefined) {
    return {
      wait: {
        reason: 'WaitingForCluster',
        message: 'no Cluster owns this control plane yet; name it in spec.controlPlaneRef of one',
      },
    };
  }
  const other = otherControlPlane(facts);
  if (other !== undefined) return other;
  if (metadata.finalizers?.includes(FINALIZERS.talosControlPlane) !== true) return { action: { do: 'addFinalizer' } };
  if (cluster.metadata.deletionTimestamp !== undefined) return planRemovalsOfDyingCluster(facts);
  const name = cluster.metadata.name;
  if (cluster.status?.infrastructureReady !== true) {
    return {
      wait: {
        reason: 'WaitingForClusterInfrastructure',
        message: `the infrastructure of Cluster ${name} is not ready`,
      },
    };
  }
  if ((cluster.spec?.controlPlaneEndpoint?.host ?? '') === '') {
    return {
      wait: { reason: 'WaitingForClusterInfrastructure', message: `Cluster ${name} has no control plane endpoint yet` },
    };
  }
  return manage(facts);
}

/** Two control planes of one Cluster would bootstrap two etcds with the same secrets: the one that it names does. */
function otherControlPlane({ bootstrapped, observation: { cluster, controlPlane } }: Facts): Step | undefined {
  const { kind, name } = cluster?.spec?.controlPlaneRef ?? {};
  if (bootstrapped || name === undefined || (kind === controlPlane.kind && name === controlPlane.metadata.name)) {
    return undefined;
  }
  const message =
    `Cluster ${cluster?.metadata.name} names ${kind} ${name} in spec.controlPlaneRef: nothing is done for this one; ` +
    `delete it (confirm with annotation ${ANNOTATIONS.deleteControlPlane}: "true"), or name it there`;
  return { wait: { reason: 'WaitingForCluster', message } };
}

/** The life of a control plane. Membership of etcd changes in one place at a time; new machines are made at any time. */
function manage(facts: Facts): Step {
  return firstStep(
    (function* steps(): Generator<Step> {
      yield planBootstrap(facts);
      const removals = planRemovals(facts);
      yield removals;
      yield planScaleUp(facts);
      yield planMachineMarks(facts);
      if (removals.wait !== undefined) return;
      const remediation = planRemediation(facts);
      yield remediation;
      if (remediation.wait !== undefined) return;
      yield planScaleDown(facts, allowedMachines(facts));
      const rollout = planRollingUpdate(facts);
      yield rollout;
      if (rollout.wait !== undefined) return;
      yield planInPlace(facts);
      yield planHousekeeping(facts);
      yield planSettling(facts);
    })(),
  );
}

function allowedMachines(facts: Facts): number {
  const { type, maxSurge } = facts.strategy;
  const isRolling = type === 'RollingUpdate' && facts.current.some((m) => facts.differences(m).length > 0);
  return facts.replicas + (isRolling ? maxSurge : 0) + remediationSurge(facts);
}

function planRemovalsOfDyingCluster(facts: Facts): Step {
  const step = planDeletion(facts, 'onlyWhatGoes');
  if (step.action !== undefined) return step;
  return { wait: { reason: 'WaitingForDependents', message: 'the Cluster is being deleted; its workers go first' } };
}

/** While something is being changed, that is what is waited for. */
function busy(action: ControlPlaneAction, facts: Facts): Wait | undefined {
  switch (action.do) {
    case 'createMachine': {
      const { current, replicas } = facts;
      const count = `machines are being made: ${current.length} of ${replicas} are there`;
      const message =
        current.length < replicas ? count : 'one more machine is being made, to take the place of another';
      return { reason: 'WaitingForEtcdMember', message };
    }
    case 'chooseBootstrap':
    case 'bootstrap':
      return { reason: 'WaitingForEtcdMember', message: `Machine ${action.machine} bootstraps etcd` };
    case 'markLeaving':
    case 'leaveEtcd':
    case 'deleteMachine':
      return { reason: 'LeavingEtcd', message: `Machine ${action.machine} is being taken out of the control plane` };
    case 'removeMember':
      return { reason: 'LeavingEtcd', message: `${action.who} is being removed from etcd` };
    case 'changeInPlace':
      return { reason: 'RollingOut', message: `Machine ${action.machine} is being changed in place` };
    default:
      return SETTLED.wait;
  }
}
