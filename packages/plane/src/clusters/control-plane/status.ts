import type { ConditionChange, StatusPatch } from '@bloomery/kube';
import { findCondition } from '@bloomery/kube';
import { LABELS, timeText } from '@bloomery/model';
import { type Wait, waitCondition, waitingFor } from '../../allocation/wait.ts';
import { providerStateText } from '../contract/provider-object.ts';
import type { Facts } from './facts.ts';
import { lowestVersion } from './lowest-version.ts';
import type { ControlPlanePlan } from './plan.ts';
import { ETCD_CONDITION, ETCD_LOST_REASON } from './removal.ts';
import { isNodeReady } from './settling.ts';

/** Conditions that a failed change wrote: they stay until the change succeeds. */
export const CREATION_FAILURES: readonly string[] = [
  'InfrastructureTemplateCloningFailed',
  'BootstrapTemplateCloningFailed',
  'MachineGenerationFailed',
];

/** The selector of the Machines of a cluster's control plane, as text: the scale subresource reads it. */
export const selectorOf = (clusterName: string): string =>
  `${LABELS.clusterName}=${clusterName},${LABELS.controlPlane}`;

/** Status of a control plane as observed, with the plan's reason to wait (spec/cluster.md §7). Pure. */
export function statusOf({ facts, wait, action }: ControlPlanePlan): StatusPatch {
  const { observation, etcd } = facts;
  const { controlPlane, machines, cluster } = observation;
  const before = controlPlane.status;
  const readyReplicas = Math.min(machines.filter(({ node }) => isNodeReady(node)).length, machines.length);
  const initialized = before?.initialized === true || observation.workload.state === 'reachable';
  const isLost = facts.bootstrapped && !isDying(facts) && (!etcd.isKnown || !etcd.hasQuorum);
  const version = lowestVersion(machines.flatMap(({ machine }) => machine.spec?.version ?? []));
  return {
    ...(cluster === undefined ? {} : { selector: selectorOf(cluster.metadata.name) }),
    replicas: machines.length,
    readyReplicas,
    unavailableReplicas: machines.length - readyReplicas,
    updatedReplicas: facts.current.filter((m) => facts.differences(m).length === 0).length,
    initialized,
    ready: readyReplicas > 0,
    bootstrapped: facts.bootstrapped,
    version: version ?? null,
    etcd: etcd.isKnown ? etcd.text : isLost ? (before?.etcd?.replace(/^\d+/, '0') ?? null) : null,
    ...(wait === undefined && action !== undefined ? {} : { waitingFor: wait === undefined ? null : waitingFor(wait) }),
    observedGeneration: controlPlane.metadata.generation ?? null,
    conditions: [...readyOf({ wait, action }), ...conditionsOf(facts, wait, initialized)],
  };
}

/** A small change that nobody waits for says nothing about how far things are. */
function readyOf({ wait, action }: Pick<ControlPlanePlan, 'wait' | 'action'>): readonly ConditionChange[] {
  if (wait !== undefined) return [waitCondition(wait)];
  return action === undefined ? [{ type: 'Ready', status: 'True' }] : [];
}

function conditionsOf(facts: Facts, wait: Wait | undefined, initialized: boolean): readonly ConditionChange[] {
  const made = createdOf(facts);
  return [
    initialized
      ? { type: 'Available', status: 'True' }
      : no('Available', 'WaitingForTalosBoot', 'Info', 'the Kubernetes API of the cluster has not answered yet'),
    facts.bootstrapped
      ? { type: 'MachinesBootstrapped', status: 'True' }
      : no('MachinesBootstrapped', 'WaitingForMachines', 'Info', wait?.message ?? 'etcd is not bootstrapped yet'),
    ...(made === undefined ? [] : [made]),
    resizedOf(facts),
    machinesReadyOf(facts),
    upToDateOf(facts),
    ...(isDying(facts) ? [] : [etcdOf(facts), componentsOf(facts)]),
    { type: 'Paused', status: null },
  ];
}

const no = (
  type: string,
  reason: string,
  severity: 'Info' | 'Warning' | 'Error',
  message: string,
): ConditionChange => ({
  type,
  status: 'False',
  reason,
  severity,
  message,
});

/** Nobody asks the machines of a cluster that is being deleted. */
const isDying = ({ observation: { cluster } }: Facts): boolean => cluster?.metadata.deletionTimestamp !== undefined;

/** Set to False where a machine could not be made; here only what makes it True again. */
function createdOf({ observation, current, replicas }: Facts): ConditionChange | undefined {
  const before = findCondition(observation.controlPlane.status?.conditions, 'MachinesCreated');
  if (current.length >= replicas) return { type: 'MachinesCreated', status: 'True' };
  const hasFailed = before?.status === 'False' && CREATION_FAILURES.includes(before.reason ?? '');
  if (hasFailed) return undefined;
  return no('MachinesCreated', 'ScalingUp', 'Info', `${current.length} of ${replicas} machines are there`);
}

function resizedOf({ observation, current, deleting, replicas }: Facts): ConditionChange {
  if (observation.controlPlane.metadata.deletionTimestamp !== undefined) {
    return no('Resized', 'Deleting', 'Info', `${observation.machines.length} machines are being deleted`);
  }
  if (replicas === 0 && current.length > 0) {
    return no('Resized', 'ScalingDown', 'Error', 'Cannot scale down control plane nodes to 0');
  }
  const text = `Scaling from ${current.length} to ${replicas} replicas`;
  if (current.length < replicas) return no('Resized', 'ScalingUp', 'Warning', text);
  if (current.length > replicas) return no('Resized', 'ScalingDown', 'Warning', text);
  if (deleting.length === 0) return { type: 'Resized', status: 'True' };
  const names = deleting.map(({ name }) => name).join(', ');
  return no('Resized', 'ScalingDown', 'Info', `Machines ${names} are being deleted`);
}

function machinesReadyOf({ current }: Facts): ConditionChange {
  const unready = current.find(({ machine }) => findCondition(machine.status?.conditions, 'Ready')?.status !== 'True');
  if (unready === undefined) return { type: 'MachinesReady', status: 'True' };
  const condition = findCondition(unready.machine.status?.conditions, 'Ready');
  const why = condition?.message ?? condition?.reason ?? providerStateText(unready.infrastructure);
  return no('MachinesReady', condition?.reason ?? 'NotReady', 'Info', `Machine ${unready.name}: ${why}`);
}

function upToDateOf({ current, differences, strategy, observation }: Facts): ConditionChange {
  const type = 'MachinesSpecUpToDate';
  const outdated = current.filter((m) => differences(m).length > 0);
  if (outdated.length === 0) return { type, status: 'True' };
  const counts = `Rolling ${outdated.length} replicas with outdated spec (${current.length - outdated.length} replicas up to date)`;
  if (strategy.type === 'RollingUpdate') return no(type, 'RollingUpdateInProgress', 'Warning', counts);
  const names = outdated.map((m) => `${m.name} (${differences(m).join(', ')})`).join(', ');
  if (strategy.type === 'OnDelete') {
    return no(type, 'WaitingForDeletion', 'Info', `replaced when they are deleted: ${names}`);
  }
  const template = outdated.find((m) => differences(m).includes('template'));
  if (template === undefined) return no(type, 'InPlaceUpdateInProgress', 'Warning', `changed in place: ${names}`);
  const { name = '' } = observation.controlPlane.spec?.infrastructureTemplate ?? {};
  return no(
    type,
    'CannotChangeInPlace',
    'Warning',
    `Machine ${template.name} is not made from template ${name}, which nothing can change in place: delete it, or use strategy RollingUpdate`,
  );
}

function etcdOf({ bootstrapped, etcd, observation }: Facts): ConditionChange {
  // On its way up for the first time it is nothing to be alarmed about.
  const severity = observation.controlPlane.status?.initialized === true ? 'Error' : 'Info';
  if (!bootstrapped) return no(ETCD_CONDITION, 'EtcdNotBootstrapped', 'Info', 'etcd is not bootstrapped yet');
  if (!etcd.isKnown) return no(ETCD_CONDITION, ETCD_LOST_REASON, severity, etcd.problem);
  if (!etcd.hasQuorum) {
    return no(
      ETCD_CONDITION,
      ETCD_LOST_REASON,
      severity,
      `${etcd.text} members are healthy, no majority; ${etcd.problem}`,
    );
  }
  if (etcd.problem === '') return { type: ETCD_CONDITION, status: 'True' };
  return no(ETCD_CONDITION, 'EtcdClusterUnhealthy', 'Warning', `${etcd.text} members are healthy; ${etcd.problem}`);
}

function componentsOf({ current }: Facts): ConditionChange {
  const type = 'ControlPlaneComponentsHealthy';
  for (const { name, talos } of current) {
    if (talos.state !== 'answers') continue;
    if (talos.services === undefined) {
      return no(
        type,
        'ControlPlaneComponentsInspectionFailed',
        'Warning',
        `Machine ${name} does not list its services`,
      );
    }
    const sick = talos.services.find(({ healthy }) => healthy === false);
    if (sick !== undefined) {
      const why = `service ${sick.id} of Machine ${name} is not healthy: ${sick.message || sick.state}`;
      return no(type, 'ControlPlaneComponentsUnhealthy', 'Warning', why);
    }
  }
  const silent = current.find(({ talos }) => talos.state !== 'answers');
  if (silent === undefined) return { type, status: 'True' };
  const why =
    silent.talos.state === 'silent'
      ? `Machine ${silent.name}: ${silent.talos.why}`
      : `Machine ${silent.name} does not answer yet`;
  return no(type, 'ControlPlaneComponentsInspectionFailed', 'Info', why);
}

/** Conditions of one Machine: what its etcd and its services say, each on its own (spec/cluster.md §10 item 6). Pure. */
export function machineConditions(facts: Facts, name: string): readonly ConditionChange[] {
  const machine = facts.observation.machines.find((m) => m.name === name);
  if (machine === undefined) return [];
  const { talos } = machine;
  const member = facts.etcd.members.find((m) => m.machine === name);
  if (talos.state !== 'answers') {
    if (talos.state !== 'silent') return [];
    return [
      no('EtcdMemberHealthy', 'MachineSilent', 'Warning', talos.why),
      no('TalosServicesHealthy', 'MachineSilent', 'Warning', talos.why),
    ];
  }
  const sick = (talos.services ?? []).filter(({ healthy }) => healthy === false);
  const etcd: ConditionChange =
    member?.isHealthy === true
      ? { type: 'EtcdMemberHealthy', status: 'True' }
      : no(
          'EtcdMemberHealthy',
          ...etcdTrouble(facts, member !== undefined, talos.etcdWhy, talos.etcd?.isLearner === true),
        );
  const services: ConditionChange =
    talos.services === undefined
      ? no('TalosServicesHealthy', 'ServicesUnknown', 'Warning', 'the machine does not list its services')
      : sick.length === 0
        ? { type: 'TalosServicesHealthy', status: 'True' }
        : no(
            'TalosServicesHealthy',
            'ServiceUnhealthy',
            'Warning',
            sick.map((s) => `${s.id}: ${s.message || s.state}`).join('; '),
          );
  return [etcd, services];
}

function etcdTrouble(
  facts: Facts,
  isMember: boolean,
  why: string,
  isLearner: boolean,
): [reason: string, severity: 'Info' | 'Warning', message: string] {
  if (!facts.bootstrapped) return ['EtcdNotBootstrapped', 'Info', 'etcd is not bootstrapped yet'];
  if (isLearner) return ['EtcdLearner', 'Info', 'it is a learner of etcd and catches up'];
  if (!isMember && facts.etcd.isKnown) return ['NotAMember', 'Warning', why === '' ? 'it is no member of etcd' : why];
  return ['EtcdUnhealthy', 'Warning', why === '' ? facts.etcd.problem || 'its etcd has no leader' : why];
}

/** For annotations and messages. */
export const timeOf = (nowMs: number): string => timeText(nowMs);
