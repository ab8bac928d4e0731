import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ANNOTATIONS, type TalosControlPlane } from '@bloomery/model';
import type { ControlPlaneAction } from './action.ts';
import type { ControlPlaneMachine, ControlPlaneObservation } from './observation.ts';
import { planControlPlane } from './plan.ts';
import {
  answering,
  healthyMachines,
  memberOfEtcd,
  NOW_MS,
  observed,
  observedMachine,
  reportOfEtcd,
} from './testing/observed.ts';

const said = (observation: ControlPlaneObservation): { action: ControlPlaneAction | undefined; wait: string } => {
  const { action, wait } = planControlPlane(observation);
  return { action, wait: wait === undefined ? '' : `${wait.reason}: ${wait.message}` };
};
const withAnnotations = (o: ControlPlaneObservation, annotations: Record<string, string>): ControlPlaneObservation => ({
  ...o,
  controlPlane: { ...o.controlPlane, metadata: { ...o.controlPlane.metadata, annotations } },
});
const FRESH = { [ANNOTATIONS.beforeBootstrap]: 'true', [ANNOTATIONS.preTerminateHook]: '' };
const fresh = (id: number, more: Partial<ControlPlaneMachine>): ControlPlaneMachine =>
  observedMachine(id, more, { metadata: { annotations: FRESH }, status: {} });

describe('the plan of a control plane', () => {
  it('does nothing when all is well', () => {
    const machines = healthyMachines(3).map((m) => ({
      ...m,
      node: {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: m.name },
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      },
    }));
    assert.deepEqual(said(observed(machines)), { action: undefined, wait: '' });
  });

  it('waits for its Cluster, the infrastructure and the endpoint, in this order', () => {
    const o = observed([]);
    assert.match(said({ ...o, cluster: undefined }).wait, /^WaitingForCluster:/);
    const cluster = o.cluster;
    assert.ok(cluster);
    assert.match(
      said({ ...o, cluster: { ...cluster, status: {} } }).wait,
      /^WaitingForClusterInfrastructure: the infra/,
    );
    assert.match(said({ ...o, cluster: { ...cluster, spec: {} } }).wait, /Cluster c has no control plane endpoint yet/);
  });

  it('makes and bootstraps nothing for a Cluster that names another control plane', () => {
    const o = observed([], { replicas: 1 });
    const named = (kind: string, name: string): ControlPlaneObservation => ({
      ...o,
      cluster: o.cluster && { ...o.cluster, spec: { ...o.cluster.spec, controlPlaneRef: { kind, name } } },
    });
    const { action, wait } = said(named('TalosControlPlane', 'other'));
    assert.equal(action, undefined);
    assert.match(wait, /^WaitingForCluster: Cluster c names TalosControlPlane other in spec.controlPlaneRef/);
    assert.equal(said(named('TalosControlPlane', 'cp')).action?.do, 'createMachine');
  });

  it('does not blame etcd for a machine that only lacks its Node', () => {
    const [m] = healthyMachines(1).map((one) => ({ ...one, machine: { ...one.machine, status: {} } }));
    assert.ok(m);
    const wait = (workload: ControlPlaneObservation['workload']): string => said(observed([m], {}, { workload })).wait;
    const start = 'WaitingForNodes: Machine m1 is a member of etcd and has no Node yet: ';
    assert.equal(
      wait({ state: 'unreachable', sinceMs: 0, why: '10.0.0.9:6443 refuses connections' }),
      `${start}the Kubernetes API of the cluster does not answer: 10.0.0.9:6443 refuses connections`,
    );
    assert.equal(wait({ state: 'noKubeconfig' }), `${start}Secret c-kubeconfig does not exist yet`);
    assert.equal(wait({ state: 'reachable' }), `${start}none with provider id m1 has joined the cluster`);
  });

  it('says what is wrong with the template and makes no machine', () => {
    const why = 'T default/t does not exist; create it';
    const got = said(observed([], { replicas: 3 }, { template: { ok: false, why } }));
    assert.deepEqual(got, { action: undefined, wait: `WaitingForTemplate: ${why}` });
  });

  it('makes machines in the failure domain that has the fewest', () => {
    const o = observed([], { replicas: 1 });
    const failureDomains = { a: { controlPlane: false }, c: { controlPlane: true }, b: { controlPlane: true } };
    const cluster = o.cluster && { ...o.cluster, status: { infrastructureReady: true, failureDomains } };
    assert.deepEqual(said({ ...o, cluster }).action, {
      do: 'createMachine',
      beforeBootstrap: true,
      failureDomain: 'b',
    });
  });

  it('replicas 0 makes nothing and removes nothing, and says so', () => {
    assert.deepEqual(said(observed([], { replicas: 0 })), {
      action: undefined,
      wait: 'ReplicasZero: spec.replicas is 0: no machine is made; set it to 1, 3 or 5',
    });
    assert.match(said(observed(healthyMachines(3), { replicas: 0 })).wait, /3 machines are there: they stay/);
  });
});

describe('the choice of the machine that bootstraps', () => {
  const silent = fresh(1, { talos: { state: 'silent', address: '10.0.0.1', why: 'off' } });
  const ready = fresh(2, { talos: answering(2, { hasData: false }) });

  it('waits for a configuration to be mended where that is what keeps the machine away, and says what is wrong', () => {
    const conditions = [
      {
        type: 'BootstrapReady',
        status: 'False' as const,
        reason: 'BootstrapConfigRefused',
        message: 'TalosConfig default/m1: no such path',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ];
    const refused = observedMachine(1, {}, { metadata: { annotations: FRESH }, status: { conditions } });
    assert.match(
      said(observed([refused])).wait,
      /^BootstrapConfigRefused: .* has no bootstrap data yet: TalosConfig default\/m1: no such path$/,
    );
  });

  it('falls on the first that answers, without waiting for the others', () => {
    const got = said(observed([silent, ready]));
    assert.deepEqual(got.action, { do: 'chooseBootstrap', machine: 'm2', node: '10.0.0.2' });
  });

  it('asks the chosen one, and nobody else, until it says that it did', () => {
    const choice = (machine: string, answered = ''): string =>
      JSON.stringify({ machine, node: '10.0.0.2', at: '2026-01-01T00:00:00Z', answered });
    const o = observed([silent, ready]);
    const chosen = said(withAnnotations(o, { [ANNOTATIONS.bootstrapChoice]: choice('m2') }));
    assert.deepEqual(chosen.action, { do: 'bootstrap', machine: 'm2', node: '10.0.0.2' });
    const lost = said(withAnnotations(o, { [ANNOTATIONS.bootstrapChoice]: choice('m1') }));
    assert.equal(lost.action, undefined);
    assert.match(lost.wait, /^BootstrapUnknown: Machine m1 .*delete this Machine to have another chosen$/);
    const agreed = withAnnotations(o, {
      [ANNOTATIONS.bootstrapChoice]: choice('m2', new Date(NOW_MS - 1000).toISOString()),
    });
    assert.equal(said(agreed).action, undefined);
  });

  it('is not told again when its Machine is being deleted: it goes', () => {
    const choice = JSON.stringify({ machine: 'm2', node: '10.0.0.2', at: '2026-01-01T00:00:00Z' });
    const { machine } = ready;
    const deletionTimestamp = '2026-01-01T00:01:00Z';
    const going = { ...ready, machine: { ...machine, metadata: { ...machine.metadata, deletionTimestamp } } };
    const got = said(withAnnotations(observed([going]), { [ANNOTATIONS.bootstrapChoice]: choice }));
    assert.deepEqual(got.action, { do: 'releaseHook', machine: 'm2', skipped: undefined });
  });

  it('is replaced when it did not agree for a minute and the spec has been mended since', () => {
    const choice = (agoMs: number): string =>
      JSON.stringify({ machine: 'm2', node: '10.0.0.2', at: new Date(NOW_MS - agoMs).toISOString() });
    const o = observed([ready], {
      replicas: 1,
      version: 'v1.33.0',
      rolloutStrategy: { rollingUpdate: { maxSurge: 0 } },
    });
    const after = (agoMs: number) => said(withAnnotations(o, { [ANNOTATIONS.bootstrapChoice]: choice(agoMs) })).action;
    assert.equal(after(59_000)?.do, 'bootstrap');
    assert.notEqual(after(60_000)?.do, 'bootstrap');
  });

  it('that nobody can read forbids another all the same', () => {
    const got = said(withAnnotations(observed([ready, silent]), { [ANNOTATIONS.bootstrapChoice]: '}' }));
    assert.equal(got.action, undefined);
    assert.match(got.wait, /take annotation bloomery.dev\/bootstrap-choice away$/);
  });

  it('is released when its machine is gone and all others say that they hold no data', () => {
    const choice = JSON.stringify({ machine: 'gone', node: '10.0.0.9', at: '' });
    const got = said(withAnnotations(observed([ready]), { [ANNOTATIONS.bootstrapChoice]: choice }));
    assert.equal(got.action?.do, 'releaseBootstrap');
  });

  it('waits for every machine that was there before us', () => {
    const moved = observedMachine(3, { talos: { state: 'silent', address: '10.0.0.3', why: 'off' } });
    const got = said(observed([ready, moved]));
    assert.equal(got.action, undefined);
    assert.match(got.wait, /^WaitingForFirstMachine: Machine m3 was there before/);
  });
});

describe('a member that no machine is', () => {
  const members = [...[1, 2, 3].map((id) => memberOfEtcd(id)), memberOfEtcd(7, { hostname: 'ghost' })];
  const machines = [1, 2, 3].map((id) =>
    observedMachine(id, { talos: answering(id, { etcd: reportOfEtcd(id, members), etcdWhy: '' }) }),
  );
  const since = (agoMs: number): Partial<ControlPlaneObservation> => ({ straysSince: new Map([[7n, NOW_MS - agoMs]]) });

  it('is left alone at first: a machine may join before its provider tells its address', () => {
    assert.equal(said(observed(machines, {}, since(9_000))).action, undefined);
    assert.equal(said(observed(machines, {}, since(11_000))).action?.do, 'removeMember');
  });

  it('is left alone for five minutes while a machine with configuration has not been heard of', () => {
    const booting = observedMachine(
      4,
      {},
      { status: {}, spec: { providerID: '', bootstrap: { dataSecretName: 'd' } } },
    );
    const at = (agoMs: number): ControlPlaneObservation => observed([...machines, booting], {}, since(agoMs));
    assert.equal(said(at(299_000)).action, undefined);
    assert.equal(said(at(301_000)).action?.do, 'removeMember');
  });

  it('is left alone while some machine has not said who it is', () => {
    const unknown = observedMachine(4, {}, { status: {} });
    const got = said(observed([...machines, unknown], {}, since(100_000)));
    assert.equal(got.action, undefined);
    assert.match(got.wait, /it may be Machine m4, which has not said who it is yet/);
  });
});

describe('a machine that is to go', () => {
  const why = 'there are more machines than spec.replicas';
  const [one, two, three] = healthyMachines(3);
  assert.ok(one && two && three);
  const marked = observedMachine(
    3,
    { talos: three.talos },
    { metadata: { annotations: { [ANNOTATIONS.preTerminateHook]: '', [ANNOTATIONS.deleteMachine]: '' } } },
  );
  const outdated = observedMachine(2, { talos: two.talos }, { spec: { version: 'v1.31.0' } });
  const sick = observedMachine(2, { talos: { state: 'silent', address: '10.0.0.2', why: 'off' } });
  const cases: [name: string, machines: readonly ControlPlaneMachine[], victim: string][] = [
    ['the oldest of equals', [one, two, three], 'm1'],
    ['the one that a user marked', [one, two, marked], 'm3'],
    ['an outdated one', [one, outdated, three], 'm2'],
    ['one that is of no use to etcd', [one, sick, three], 'm2'],
    ['a marked one before one of no use', [one, sick, marked], 'm3'],
  ];
  for (const [name, machines, machine] of cases) {
    it(`is ${name}`, () => {
      const spec: Partial<NonNullable<TalosControlPlane['spec']>> = {
        replicas: 2,
        rolloutStrategy: { type: 'OnDelete' },
      };
      // With one of three dead a healthy one stays; the choice shows in what is said.
      const { action, wait } = said(observed(machines, spec));
      if (action !== undefined) assert.deepEqual(action, { do: 'markLeaving', machine, why });
      else assert.match(wait, new RegExp(`^EtcdQuorumAtRisk: ${machine} is to go`));
    });
  }

  it('that is being deleted is marked first, so that time counts from then', () => {
    const going = observedMachine(
      3,
      { talos: three.talos },
      {
        metadata: { annotations: { [ANNOTATIONS.preTerminateHook]: '' }, deletionTimestamp: '2026-01-02T00:00:00Z' },
      },
    );
    assert.deepEqual(said(observed([one, two, going], { replicas: 2 })).action, {
      do: 'markLeaving',
      machine: 'm3',
      why: 'its Machine is being deleted',
    });
  });
});

describe('the strategy', () => {
  it('makes no more new machines than there are to be, however large the surge is', () => {
    const isNew = { spec: { version: 'v1.33.0' } };
    const machines = healthyMachines(5).map((m, i) =>
      i < 2 ? m : { ...m, machine: { ...m.machine, spec: { ...m.machine.spec, ...isNew.spec } } },
    ) as ControlPlaneMachine[];
    const rolloutStrategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3 } };
    const got = said(observed(machines, { replicas: 3, version: 'v1.33.0', rolloutStrategy }));
    assert.deepEqual([got.action?.do, got.action?.do === 'markLeaving' && got.action.machine], ['markLeaving', 'm1']);
  });

  it('of a single machine without surge says that it cannot be replaced', () => {
    const spec: Partial<NonNullable<TalosControlPlane['spec']>> = {
      version: 'v1.33.0',
      rolloutStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0 } },
    };
    const got = said(observed(healthyMachines(1), spec));
    assert.equal(got.action, undefined);
    assert.match(got.wait, /^LastMember: the only machine differs from the spec/);
  });
});
