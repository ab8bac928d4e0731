import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConditionChange } from '@bloomery/kube';
import type { TalosService } from '@bloomery/talos';
import type { ControlPlaneMachine } from './observation.ts';
import { planControlPlane } from './plan.ts';
import { machineConditions, statusOf } from './status.ts';
import {
  answering,
  healthyMachines,
  memberOfEtcd,
  observed,
  observedMachine,
  reportOfEtcd,
} from './testing/observed.ts';

const text = (changes: readonly ConditionChange[]): readonly string[] =>
  changes.map((c) => (c.status === null ? c.type : [c.type, c.status, c.reason, c.message].filter(Boolean).join(' ')));
const conditionOf = (machines: readonly ControlPlaneMachine[], type: string): string | undefined =>
  text(statusOf(planControlPlane(observed(machines))).conditions ?? []).find((c) => c.startsWith(`${type} `));
const silent = observedMachine(3, { talos: { state: 'silent', address: '10.0.0.3', why: 'no answer in 4 s' } });
const service = (more: Partial<TalosService>): TalosService => ({
  id: 'kubelet',
  state: 'Running',
  healthy: true,
  message: '',
  ...more,
});

describe('the status of a control plane', () => {
  it('tells degraded from lost', () => {
    const [one, two, three] = healthyMachines(3);
    assert.ok(one && two && three);
    assert.equal(conditionOf([one, two, three], 'EtcdClusterHealthyCondition'), 'EtcdClusterHealthyCondition True');
    assert.equal(
      conditionOf([one, two, silent], 'EtcdClusterHealthyCondition'),
      'EtcdClusterHealthyCondition False EtcdClusterUnhealthy 2/3 members are healthy; not healthy: m3',
    );
    assert.equal(
      conditionOf([one, observedMachine(2), silent], 'EtcdClusterHealthyCondition'),
      'EtcdClusterHealthyCondition False EtcdQuorumLost 1/3 members are healthy, no majority; not healthy: m2, m3',
    );
  });

  it('names the service that is not healthy', () => {
    const [one] = healthyMachines(1);
    assert.ok(one?.talos.state === 'answers');
    const talos = { ...one.talos, services: [service({ healthy: false, message: 'connection refused' })] };
    assert.equal(
      conditionOf([{ ...one, talos }], 'ControlPlaneComponentsHealthy'),
      'ControlPlaneComponentsHealthy False ControlPlaneComponentsUnhealthy service kubelet of Machine m1 is not healthy: connection refused',
    );
  });

  it('keeps why a machine could not be made until one could', () => {
    const o = observed([], { replicas: 1 }, { template: { ok: false, why: 'gone' } });
    const failed = {
      type: 'MachinesCreated',
      status: 'False' as const,
      reason: 'MachineGenerationFailed',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const before = { ...o, controlPlane: { ...o.controlPlane, status: { conditions: [failed] } } };
    const types = (statusOf(planControlPlane(before)).conditions ?? []).map(({ type }) => type);
    assert.ok(!types.includes('MachinesCreated'));
  });

  it('of a Machine tells its etcd and its services apart', () => {
    const [one] = healthyMachines(1);
    assert.ok(one);
    const members = [memberOfEtcd(1), memberOfEtcd(2, { isLearner: true })];
    const learner = observedMachine(2, {
      talos: answering(2, { etcd: reportOfEtcd(2, members, { isLearner: true }), etcdWhy: '' }),
    });
    const first = observedMachine(1, { talos: answering(1, { etcd: reportOfEtcd(1, members), etcdWhy: '' }) });
    const out = observedMachine(4, {
      talos: answering(4, { services: [service({ id: 'etcd', healthy: false, state: 'Failed' })] }),
    });
    const { facts } = planControlPlane(observed([first, learner, silent, out, observedMachine(5)]));
    assert.deepEqual(text(machineConditions(facts, 'm1')), ['EtcdMemberHealthy True', 'TalosServicesHealthy True']);
    assert.deepEqual(text(machineConditions(facts, 'm2')), [
      'EtcdMemberHealthy False EtcdLearner it is a learner of etcd and catches up',
      'TalosServicesHealthy True',
    ]);
    assert.deepEqual(text(machineConditions(facts, 'm3')), [
      'EtcdMemberHealthy False MachineSilent no answer in 4 s',
      'TalosServicesHealthy False MachineSilent no answer in 4 s',
    ]);
    assert.deepEqual(text(machineConditions(facts, 'm4')), [
      'EtcdMemberHealthy False NotAMember etcd does not run',
      'TalosServicesHealthy False ServiceUnhealthy etcd: Failed',
    ]);
    assert.deepEqual(machineConditions(facts, 'm5'), []);
  });
});
