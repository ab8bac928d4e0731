import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cluster, JsonObject, Machine, MachineHealthCheck, Node } from '@bloomery/model';
import { type Judgement, judgeMachine, type NodeView } from './judge.ts';
import { type HealthCheckInput, planHealthCheck } from './plan.ts';

const T0 = Date.parse('2026-01-01T00:00:00Z');
const at = (seconds: number): string => new Date(T0 + seconds * 1000).toISOString();
const condition = (type: string, since = 0, status = 'True') => ({ type, status, lastTransitionTime: at(since) });

const cluster = (conditions: readonly JsonObject[] = READY): Cluster =>
  ({ metadata: { name: 'c', namespace: 'd' }, spec: {}, status: { conditions } }) as unknown as Cluster;
const READY = [condition('ControlPlaneInitialized', 100), condition('InfrastructureReady', 50)];
const machine = (status: JsonObject = {}, metadata: JsonObject = {}): Machine =>
  ({
    metadata: { name: 'm', namespace: 'd', labels: { role: 'w' }, creationTimestamp: at(0), ...metadata },
    status,
  }) as unknown as Machine;
const node = (...conditions: readonly JsonObject[]): Node =>
  ({ metadata: { name: 'n' }, status: { conditions } }) as unknown as Node;
const check = (spec: JsonObject = {}): MachineHealthCheck =>
  ({
    metadata: { name: 'hc', namespace: 'd', generation: 1 },
    spec: {
      clusterName: 'c',
      selector: { matchLabels: { role: 'w' } },
      nodeStartupTimeout: '10m',
      unhealthyConditions: [
        { type: 'Ready', status: 'False', timeout: '5m' },
        { type: 'Ready', status: 'Unknown', timeout: '2m' },
      ],
      ...spec,
    },
  }) as unknown as MachineHealthCheck;

describe('a Machine', () => {
  const withNode = machine({ nodeRef: { name: 'n' } });
  const undecided: Judgement = { is: 'undecided' };
  const cases: [
    what: string,
    input: { machine?: Machine; cluster?: Cluster; node?: NodeView; check?: MachineHealthCheck; now?: number },
    want: Judgement,
  ][] = [
    ['with a ready Node is healthy', { machine: withNode, node: node(condition('Ready')) }, { is: 'healthy' }],
    [
      'that a user marked is unhealthy',
      { machine: machine({}, { annotations: { 'cluster.x-k8s.io/remediate-machine': '' } }) },
      {
        is: 'unhealthy',
        reason: 'HasRemediateMachineAnnotation',
        message: 'Marked for remediation via remediate-machine annotation',
      },
    ],
    [
      'that failed is unhealthy, also before the control plane stands',
      { machine: machine({ failureReason: 'CreateError' }), cluster: cluster([]) },
      { is: 'unhealthy', reason: 'MachineHasFailure', message: 'FailureReason: CreateError' },
    ],
    [
      'that failed with a message is unhealthy',
      { machine: machine({ failureMessage: 'disk' }) },
      { is: 'unhealthy', reason: 'MachineHasFailure', message: 'FailureMessage: disk' },
    ],
    [
      'whose Node is gone is unhealthy',
      { machine: withNode, node: 'gone' },
      { is: 'unhealthy', reason: 'NodeNotFound', message: 'Node n is gone' },
    ],
    ['whose Node cannot be seen is not judged', { machine: withNode, node: 'unknown', now: 9_999_999 }, undecided],
    [
      'is not judged before the control plane stands',
      { cluster: cluster([condition('InfrastructureReady')]), now: 9999 },
      undecided,
    ],
    [
      'of the control plane is judged before it stands',
      {
        machine: machine({}, { labels: { 'cluster.x-k8s.io/control-plane': '' } }),
        cluster: cluster([condition('InfrastructureReady')]),
        now: 700,
      },
      { is: 'unhealthy', reason: 'NodeStartupTimeout', message: 'Node failed to report startup in 10m0s' },
    ],
    [
      'is not judged before the infrastructure of the cluster is ready',
      { cluster: cluster([condition('ControlPlaneInitialized')]), now: 9999 },
      undecided,
    ],
    ['has time for its Node since the control plane stands', { now: 100 }, { is: 'undecided', inMs: 600_000 }],
    [
      'has time for its Node since its infrastructure is ready',
      { machine: machine({ conditions: [condition('InfrastructureReady', 300)] }), now: 400 },
      { is: 'undecided', inMs: 500_000 },
    ],
    [
      'without a Node after that time is unhealthy, to the second',
      { now: 700 },
      { is: 'unhealthy', reason: 'NodeStartupTimeout', message: 'Node failed to report startup in 10m0s' },
    ],
    [
      'has all the time of the world when the time is 0',
      { check: check({ nodeStartupTimeout: '0' }), now: 9_999_999 },
      undecided,
    ],
    [
      'is suspect while a condition is bad for less than its time',
      { machine: withNode, node: node(condition('Ready', 1000, 'False')), now: 1100 },
      { is: 'undecided', inMs: 200_000 },
    ],
    [
      'is unhealthy when a condition is bad for its time',
      { machine: withNode, node: node(condition('Ready', 1000, 'Unknown')), now: 1120 },
      {
        is: 'unhealthy',
        reason: 'UnhealthyNode',
        message: 'Condition Ready on node is reporting status Unknown for more than 2m0s',
      },
    ],
    [
      'whose Node lacks a condition is healthy',
      { machine: withNode, node: node(condition('DiskPressure')) },
      { is: 'healthy' },
    ],
  ];
  for (const [what, input, want] of cases) {
    it(what, () => {
      const { now = 200, ...given } = input;
      const all = { check: check(), cluster: cluster(), machine: machine(), node: 'none' as const, ...given };
      assert.deepEqual(judgeMachine(all, T0 + now * 1000), want);
    });
  }
});

describe('a health check', () => {
  const up = node(condition('Ready'));
  const named = (name: string, metadata: JsonObject = {}) => machine({ nodeRef: { name } }, { name, ...metadata });
  const input = (gone: number, all: number, spec: JsonObject = {}): HealthCheckInput => ({
    check: check(spec),
    cluster: cluster(),
    machines: Array.from({ length: all }, (_, i) => named(`m${i}`)),
    nodeOf: ({ metadata }) => (Number(metadata.name.slice(1)) < gone ? 'gone' : up),
    unseen: undefined,
  });
  const cases: [what: string, gone: number, all: number, spec: JsonObject, replaced: number, left: number][] = [
    ['by default replaces all that are unhealthy', 3, 3, {}, 3, 0],
    ['replaces up to a number', 1, 3, { maxUnhealthy: 1 }, 1, 0],
    ['replaces none above a number', 2, 3, { maxUnhealthy: 1 }, 0, 0],
    ['replaces up to a share, rounded down', 1, 5, { maxUnhealthy: '39%' }, 1, 0],
    ['replaces none above a share', 2, 5, { maxUnhealthy: '39%' }, 0, 0],
    ['says how many more may fail', 1, 5, { maxUnhealthy: '60%' }, 1, 2],
    ['replaces none of 0', 1, 3, { maxUnhealthy: 0 }, 0, 0],
    ['replaces none below a range', 1, 5, { unhealthyRange: '[2-3]' }, 0, 0],
    ['replaces what is in a range', 2, 5, { unhealthyRange: '[2-3]' }, 2, 1],
    ['replaces none above a range', 4, 5, { unhealthyRange: '[2-3]' }, 0, 0],
  ];
  for (const [what, gone, all, spec, replaced, left] of cases) {
    it(what, () => {
      const { targets, status } = planHealthCheck(input(gone, all, spec), T0 + 200_000);
      assert.equal(targets.filter((target) => target.isToBeReplaced).length, replaced);
      assert.deepEqual(
        [status['expectedMachines'], status['currentHealthy'], status['remediationsAllowed']],
        [all, all - gone, left],
      );
    });
  }

  it('says why none is replaced', () => {
    const { status, wait } = planHealthCheck(input(2, 3, { maxUnhealthy: 1 }), T0 + 200_000);
    assert.deepEqual(status.conditions?.[0], {
      type: 'RemediationAllowed',
      status: 'False',
      severity: 'Warning',
      reason: 'TooManyUnhealthy',
      message:
        'Remediation is not allowed, the number of not started or unhealthy machines exceeds maxUnhealthy (total: 3, unhealthy: 2, maxUnhealthy: 1)',
    });
    assert.deepEqual(wait, {
      reason: 'TooManyUnhealthy',
      message: '2 machines are unhealthy and none is replaced, by maxUnhealthy: 1',
      event: 'no machine is replaced, by maxUnhealthy: 1',
    });
  });

  it('leaves out what a user takes out, and does not count it', () => {
    const machines = ['cluster.x-k8s.io/skip-remediation', 'cluster.x-k8s.io/paused', 'bloomery.dev/pause'].map(
      (name, i) => named(`m${i}`, { annotations: { [name]: '' } }),
    );
    const { targets, status } = planHealthCheck({ ...input(9, 0), machines }, T0 + 200_000);
    assert.deepEqual([targets.length, status['expectedMachines']], [0, 0]);
  });

  it('says when it cannot see Nodes, and judges none', () => {
    const unseen = 'the Kubernetes API of Cluster d/c does not answer: connection refused';
    const { targets, wait } = planHealthCheck({ ...input(0, 2), nodeOf: () => 'unknown', unseen }, T0 + 9_999_999_000);
    assert.deepEqual(wait, { reason: 'WaitingForWorkloadApi', message: unseen });
    assert.ok(targets.every(({ judgement }) => judgement.is === 'undecided'));
  });

  it('looks again at the moment at which the next Machine becomes unhealthy', () => {
    const slow = {
      ...input(0, 3),
      nodeOf: ({ metadata }: Machine) => (metadata.name === 'm1' ? node(condition('Ready', 199, 'Unknown')) : up),
    };
    assert.equal(planHealthCheck(slow, T0 + 200_000).nextMs, 119_000);
    assert.equal(planHealthCheck(input(0, 3), T0 + 200_000).nextMs, undefined);
  });
});
