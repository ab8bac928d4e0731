import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '../json.ts';
import { admitMachineDeployment, defaultMachineDeployment } from './admit-machine-deployment.ts';
import { admitMachineHealthCheck, defaultMachineHealthCheck } from './admit-machine-health-check.ts';
import { admitMachineSet, defaultMachineSet } from './admit-machine-set.ts';
import { scaledValue } from './int-or-percent.ts';
import { labelValueOf } from './label-value.ts';

const CLUSTER = 'cluster.x-k8s.io/cluster-name';
const template = (labels: JsonObject = {}, spec: JsonObject = {}): JsonObject => ({
  metadata: { labels },
  spec: {
    clusterName: 'c',
    bootstrap: { configRef: { kind: 'T', name: 't' } },
    infrastructureRef: { name: 'i' },
    ...spec,
  },
});
const machines = (name: string, spec: JsonObject = {}, annotations: JsonObject = {}): JsonObject => ({
  metadata: { name, namespace: 'ns', annotations },
  spec: { clusterName: 'c', selector: {}, template: template(), ...spec },
});
const fieldsOf = ({
  problems,
}: {
  readonly problems: readonly { readonly field: string; readonly message: string }[];
}) => problems.map(({ field, message }) => `${field}: ${message}`);

describe('defaults', () => {
  it('a MachineSet selects by its own name, is of its cluster and has one machine', () => {
    const made = defaultMachineSet(machines('workers', { template: template({}, { version: '1.32.0' }) }));
    assert.deepEqual(made, {
      metadata: { name: 'workers', namespace: 'ns', annotations: {}, labels: { [CLUSTER]: 'c' } },
      spec: {
        clusterName: 'c',
        replicas: 1,
        deletePolicy: 'Random',
        selector: { matchLabels: { 'cluster.x-k8s.io/set-name': 'workers' } },
        template: {
          metadata: { labels: { 'cluster.x-k8s.io/set-name': 'workers' } },
          spec: {
            clusterName: 'c',
            version: 'v1.32.0',
            bootstrap: { configRef: { kind: 'T', name: 't', namespace: 'ns' } },
            infrastructureRef: { name: 'i', namespace: 'ns' },
          },
        },
      },
    });
    assert.deepEqual(admitMachineSet(made, undefined).problems, []);
  });

  it('a MachineDeployment also selects its cluster, and rolls with one machine more', () => {
    const made = defaultMachineDeployment(machines('md', { replicas: 3 }));
    const labels = { 'cluster.x-k8s.io/deployment-name': 'md', [CLUSTER]: 'c' };
    const spec = made['spec'] as JsonObject;
    assert.deepEqual(spec['selector'], { matchLabels: labels });
    assert.deepEqual((spec['template'] as JsonObject)['metadata'], { labels });
    assert.deepEqual(spec['strategy'], { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
    assert.deepEqual(
      [spec['replicas'], spec['minReadySeconds'], spec['revisionHistoryLimit'], spec['progressDeadlineSeconds']],
      [3, 0, 1, 600],
    );
    assert.deepEqual(admitMachineDeployment(made, undefined).problems, []);
  });

  it('what is given stays', () => {
    const given = defaultMachineDeployment(
      machines('md', {
        selector: { matchLabels: { a: 'b' } },
        template: template({ a: 'b' }, { version: 'v1.30.0' }),
        strategy: { type: 'OnDelete' },
        minReadySeconds: 5,
      }),
    );
    assert.deepEqual(defaultMachineDeployment(given), given);
    const spec = given['spec'] as JsonObject;
    assert.deepEqual(spec['strategy'], { type: 'OnDelete' });
    assert.deepEqual(spec['selector'], { matchLabels: { a: 'b', [CLUSTER]: 'c' } });
    assert.equal(spec['minReadySeconds'], 5);
  });

  it('without a number of machines the autoscaler gets what there was within its bounds, or its smallest size', () => {
    const annotations = {
      'cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size': '4',
      'cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size': '9',
    };
    const sizeAfter = (replicas?: number): unknown => {
      const old = replicas === undefined ? undefined : machines('a', { replicas });
      return (defaultMachineSet(machines('a', {}, annotations), old)['spec'] as JsonObject)['replicas'];
    };
    assert.deepEqual([sizeAfter(), sizeAfter(1), sizeAfter(7), sizeAfter(20)], [4, 4, 7, 9]);
    assert.equal(
      (defaultMachineSet(machines('a'), machines('a', { replicas: 7 }))['spec'] as JsonObject)['replicas'],
      1,
    );
  });

  it('a MachineHealthCheck tolerates all machines unhealthy and waits ten minutes for a Node', () => {
    const made = defaultMachineHealthCheck({
      metadata: { name: 'm', namespace: 'ns' },
      spec: { clusterName: 'c', selector: { matchLabels: { a: 'b' } }, remediationTemplate: { name: 'r' } },
    });
    assert.deepEqual(made, {
      metadata: { name: 'm', namespace: 'ns', labels: { [CLUSTER]: 'c' } },
      spec: {
        clusterName: 'c',
        selector: { matchLabels: { a: 'b' } },
        maxUnhealthy: '100%',
        nodeStartupTimeout: '10m0s',
        remediationTemplate: { name: 'r', namespace: 'ns' },
      },
    });
    assert.deepEqual(admitMachineHealthCheck(made, undefined).problems, []);
  });
});

describe('MachineSet and MachineDeployment are refused', () => {
  const rolling = (rollingUpdate: JsonObject) => ({ strategy: { type: 'RollingUpdate', rollingUpdate } });
  const selected = { selector: { matchLabels: { a: 'b' } }, template: template({ a: 'b' }) };
  const cases: [why: string, object: JsonObject, problem: string][] = [
    [
      'when the selector does not select the template',
      machines('md', { selector: { matchLabels: { a: 'b' } } }),
      'spec.template.metadata.labels: Invalid value: {}: must match spec.selector "a=b"',
    ],
    [
      'when the selector cannot be read',
      machines('md', { selector: { matchExpressions: [{ key: 'a', operator: 'Is' }] } }),
      'spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"Is"}]}: "Is" is not a valid label selector operator',
    ],
    [
      'when the version is none',
      machines('md', { ...selected, template: template({ a: 'b' }, { version: 'v1.32' }) }),
      'spec.template.spec.version: Invalid value: "v1.32": must be a valid semantic version',
    ],
    [
      'when a time span is none',
      machines('md', { ...selected, template: template({ a: 'b' }, { nodeDrainTimeout: '5' }) }),
      'spec.template.spec.nodeDrainTimeout: Invalid value: "5": must be a time span such as 90s, 10m or 1h30m',
    ],
    [
      'when names would not differ',
      machines('md', { ...selected, machineNamingStrategy: { template: 'x' } }),
      'spec.machineNamingStrategy.template: Invalid value: "x": invalid template, {{ .random }} is missing',
    ],
    [
      'when names use something unknown',
      machines('md', { ...selected, machineNamingStrategy: { template: '{{ .who }}-{{ .random }}' } }),
      'spec.machineNamingStrategy.template: Invalid value: "{{ .who }}-{{ .random }}": invalid template, generated names would not be valid Kubernetes object names',
    ],
    [
      'when a check to be skipped does not exist',
      machines('md', selected, { 'machineset.cluster.x-k8s.io/skip-preflight-checks': 'All, Nothing' }),
      'metadata.annotations.machineset.cluster.x-k8s.io/skip-preflight-checks: Invalid value: ["Nothing"]: skipped preflight check(s) must be among: [All ControlPlaneIsStable ControlPlaneVersionSkew KubeadmVersionSkew KubernetesVersionSkew]',
    ],
    [
      'when the surge is neither a number nor a share',
      machines('md', { ...selected, ...rolling({ maxSurge: 'many' }) }),
      'spec.strategy.rollingUpdate.maxSurge: Invalid value: "many": must be either an int or a percentage',
    ],
    [
      'when a number is written as text',
      machines('md', { ...selected, ...rolling({ maxUnavailable: '1' }) }),
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "1": must be either an int or a percentage',
    ],
    [
      'when neither more nor fewer machines are allowed',
      machines('md', { ...selected, ...rolling({ maxSurge: 0, maxUnavailable: '0%' }) }),
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
    ],
    [
      'when the remediations in flight are no number',
      machines('md', { ...selected, strategy: { remediation: { maxInFlight: 'all' } } }),
      'spec.strategy.remediation.maxInFlight: Invalid value: "all": must be either an int or a percentage',
    ],
    [
      'when the name cannot be a label',
      machines('m'.repeat(64), selected),
      `metadata.name: Invalid value: "${'m'.repeat(64)}": must be a valid label value`,
    ],
  ];
  for (const [why, object, problem] of cases) {
    it(why, () => assert.deepEqual(fieldsOf(admitMachineDeployment(object, undefined)), [problem]));
  }

  it('when an update moves them to another cluster', () => {
    const moved = machines('x', { ...selected, clusterName: 'd' });
    const problem = 'spec.clusterName: Forbidden: field is immutable';
    assert.deepEqual(fieldsOf(admitMachineDeployment(moved, machines('x', selected))), [problem]);
    assert.deepEqual(fieldsOf(admitMachineSet(moved, machines('x', selected))), [problem]);
  });
});

describe('a MachineHealthCheck is refused', () => {
  const check = (spec: JsonObject): JsonObject => ({
    metadata: { name: 'm', namespace: 'ns' },
    spec: { clusterName: 'c', selector: { matchLabels: { a: 'b' } }, ...spec },
  });
  const cases: [why: string, spec: JsonObject, problem: string][] = [
    ['without a selector', { selector: {} }, 'spec.selector: Required value: selector must not be empty'],
    [
      'with a selector of another cluster',
      { selector: { matchLabels: { [CLUSTER]: 'd' } } },
      `spec.selector: Invalid value: {"matchLabels":{"${CLUSTER}":"d"}}: cannot specify a cluster selector other than the one specified by ClusterName`,
    ],
    [
      'with less than 30 seconds for a start',
      { nodeStartupTimeout: '29s' },
      'spec.nodeStartupTimeout: Invalid value: "29s": must be at least 30s',
    ],
    [
      'with a share that is none',
      { maxUnhealthy: 'half' },
      'spec.maxUnhealthy: Invalid value: "half": must be either an int or a percentage',
    ],
    [
      'with a range that ends before it begins',
      { unhealthyRange: '[5-2]' },
      'spec.unhealthyRange: Invalid value: "[5-2]": max value 2 cannot be less than min value 5',
    ],
    [
      'with a time span that is none',
      { unhealthyConditions: [{ type: 'Ready', status: 'False', timeout: 'soon' }] },
      'spec.unhealthyConditions.0.timeout: Invalid value: "soon": must be a time span such as 90s, 10m or 1h30m',
    ],
    [
      'with a template of another namespace',
      { remediationTemplate: { name: 'r', namespace: 'other' } },
      'spec.remediationTemplate.namespace: Invalid value: "other": must match metadata.namespace',
    ],
  ];
  for (const [why, spec, problem] of cases) {
    it(why, () => assert.deepEqual(fieldsOf(admitMachineHealthCheck(check(spec), undefined)), [problem]));
  }
  it('never for a start that is not bounded', () => {
    assert.deepEqual(admitMachineHealthCheck(check({ nodeStartupTimeout: '0' }), undefined).problems, []);
  });
});

describe('names and numbers', () => {
  it('a share is rounded as asked', () => {
    assert.deepEqual(
      [
        scaledValue('25%', 10, 'up'),
        scaledValue('25%', 10, 'down'),
        scaledValue(7, 10, 'up'),
        scaledValue('7', 10, 'up'),
      ],
      [3, 2, 7, undefined],
    );
  });
  it('a name that is too long for a label becomes a hash', () => {
    assert.equal(labelValueOf('short'), 'short');
    assert.match(labelValueOf('m'.repeat(70)), /^hash_[A-Za-z0-9_-]{6}_z$/);
  });
});
