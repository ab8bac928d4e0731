import { findCondition } from '@bloomery/kube';
import type { Node } from '@bloomery/model';
import { providerStateText } from '../contract/provider-object.ts';
import { machineStateText } from './bootstrap.ts';
import { isMember } from './choose-victim.ts';
import { isHealthyVoter, memberOf } from './etcd-health.ts';
import type { Facts } from './facts.ts';
import type { ControlPlaneMachine } from './observation.ts';
import { SETTLED, type Step } from './step.ts';

/** Nothing is left to change: what is still to become true by itself. Pure. */
export function planSettling(facts: Facts): Step {
  const { etcd, current, observation } = facts;
  const joining = current.find((m) => facts.standing(m) === 'joining');
  if (joining !== undefined) return joiningStep(facts, joining);
  if (!etcd.isKnown) return { wait: { reason: 'WaitingForEtcd', message: etcd.problem } };
  if (!etcd.hasQuorum) {
    return { wait: { reason: 'EtcdQuorumLost', message: `${etcd.text} members of etcd are healthy; ${etcd.problem}` } };
  }
  const sick = current.find((m) => facts.standing(m) === 'sick');
  if (sick !== undefined) {
    const isOut = !isMember(facts, sick) && sick.talos.state === 'answers';
    const advice = isOut ? '; it is no member of etcd any more: delete the Machine to have it replaced' : '';
    const message = `${etcd.text} members of etcd are healthy; ${machineStateText(sick)}${advice}`;
    return {
      wait: { reason: 'WaitingForEtcdMember', message, event: `Machine ${sick.name} is no healthy member of etcd` },
    };
  }
  const { workload } = observation;
  if (workload.state === 'unreachable') {
    return {
      wait: {
        reason: 'WaitingForNodes',
        message: `the Kubernetes API of the cluster does not answer: ${workload.why}`,
      },
    };
  }
  const unready = current.find((m) => !isNodeReady(m.node));
  if (unready === undefined) return SETTLED;
  const node = unready.machine.status?.nodeRef?.name ?? unready.name;
  return { wait: { reason: 'WaitingForNodes', message: `Node ${node} of Machine ${unready.name} is not ready` } };
}

function joiningStep(facts: Facts, machine: ControlPlaneMachine): Step {
  const { name, infrastructure } = machine;
  const nodeless = whyNodeless(facts, machine);
  if (nodeless !== undefined) {
    const event = `Machine ${name} is a member of etcd and has no Node yet`;
    return { wait: { reason: 'WaitingForNodes', message: `${event}: ${nodeless}`, event } };
  }
  const isReady = infrastructure?.view.ready === true;
  const state = isReady || infrastructure === undefined ? machineStateText(machine) : providerStateText(infrastructure);
  return {
    wait: {
      reason: isReady ? 'WaitingForEtcdMember' : 'WaitingForInfrastructure',
      message: `Machine ${name} is on its way into etcd: ${state}`,
      event: `Machine ${name} is on its way into etcd`,
    },
  };
}

/** Why a machine that is a healthy member of etcd has no Node; undefined for all others. Pure. */
export function whyNodeless(
  { etcd, observation: { workload, cluster, controlPlane } }: Facts,
  machine: ControlPlaneMachine,
): string | undefined {
  const isJoined = isHealthyVoter(machine) && memberOf(etcd, machine.name) !== undefined;
  if (!isJoined || machine.machine.status?.nodeRef?.name) return undefined;
  switch (workload.state) {
    case 'unreachable':
      return `the Kubernetes API of the cluster does not answer: ${workload.why}`;
    case 'noKubeconfig': {
      const kubeconfig = findCondition(controlPlane.status?.conditions, 'KubeconfigAvailable');
      return kubeconfig?.message ?? `Secret ${cluster?.metadata.name}-kubeconfig does not exist yet`;
    }
    case 'connecting':
      return 'the connection to the Kubernetes API of the cluster is being made';
    case 'reachable':
      return `none with provider id ${machine.machine.spec?.providerID ?? ''} has joined the cluster`;
  }
}

/** Whether the kubelet of a Node says that it is ready. */
export function isNodeReady(node: Node | undefined): boolean {
  return findCondition(node?.status?.conditions, 'Ready')?.status === 'True';
}
