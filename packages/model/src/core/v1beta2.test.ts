import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asObject, CONVERSION_DATA } from '../conversion-data.ts';
import type { JsonObject } from '../json.ts';
import type { KindDefinition } from '../kind.ts';
import { clusterV1beta2 } from './cluster-v1beta2.ts';
import { machineDeploymentV1beta2 } from './machine-deployment-v1beta2.ts';
import { machineHealthCheckV1beta2 } from './machine-health-check-v1beta2.ts';
import { machineSetV1beta2 } from './machine-set-v1beta2.ts';
import { machineV1beta2 } from './machine-v1beta2.ts';

const T = '2026-01-01T00:00:00Z';
const old = (type: string, status: string, more: JsonObject = {}) => ({ type, status, ...more, lastTransitionTime: T });
const infra = (kind: string, name: string) => ({
  apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
  kind,
  namespace: 'default',
  name,
});
const newInfra = (kind: string, name: string) => ({ apiGroup: 'infrastructure.cluster.x-k8s.io', kind, name });
const config = {
  apiVersion: 'bootstrap.cluster.x-k8s.io/v1beta1',
  kind: 'TalosConfig',
  namespace: 'default',
  name: 'm',
};
const newConfig = { apiGroup: 'bootstrap.cluster.x-k8s.io', kind: 'TalosConfig', name: 'm' };
const legacy = { conditions: [old('Ready', 'True')] };

const machineSpec: JsonObject = {
  clusterName: 'c',
  version: 'v1.33.0',
  bootstrap: { configRef: config },
  infrastructureRef: infra('MetalMachine', 'm'),
  nodeDrainTimeout: '1m30s',
};
const newMachineSpec: JsonObject = {
  clusterName: 'c',
  version: 'v1.33.0',
  bootstrap: { configRef: newConfig },
  infrastructureRef: newInfra('MetalMachine', 'm'),
  deletion: { nodeDrainTimeoutSeconds: 90 },
};
const shown = [{ type: 'Ready', status: 'True', reason: 'Ready', message: '', lastTransitionTime: T }];

const cases: [name: string, kind: KindDefinition, old: JsonObject, now: JsonObject][] = [
  [
    'Machine',
    machineV1beta2,
    {
      spec: machineSpec,
      status: {
        phase: 'Running',
        bootstrapReady: true,
        infrastructureReady: false,
        nodeRef: { apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u' },
        failureReason: 'x',
        waitingFor: 'grass',
        conditions: [
          old('Ready', 'False', { severity: 'Info', reason: 'Wait', message: 'for grass' }),
          old('BootstrapReady', 'True'),
        ],
      },
    },
    {
      spec: newMachineSpec,
      status: {
        phase: 'Running',
        initialization: { bootstrapDataSecretCreated: true, infrastructureProvisioned: false },
        nodeRef: { name: 'n' },
        waitingFor: 'grass',
        conditions: [
          { type: 'Ready', status: 'False', reason: 'Wait', message: 'for grass', lastTransitionTime: T },
          {
            type: 'BootstrapConfigReady',
            status: 'True',
            reason: 'BootstrapConfigReady',
            message: '',
            lastTransitionTime: T,
          },
        ],
        deprecated: {
          v1beta1: {
            failureReason: 'x',
            conditions: [
              old('Ready', 'False', { severity: 'Info', reason: 'Wait', message: 'for grass' }),
              old('BootstrapReady', 'True'),
            ],
          },
        },
      },
    },
  ],
  [
    'Cluster',
    clusterV1beta2,
    {
      spec: {
        controlPlaneEndpoint: { host: '', port: 0 },
        infrastructureRef: infra('MetalCluster', 'c'),
        controlPlaneRef: {
          apiVersion: 'controlplane.cluster.x-k8s.io/v1alpha3',
          kind: 'TalosControlPlane',
          name: 'c',
        },
      },
      status: {
        infrastructureReady: true,
        controlPlaneReady: false,
        failureDomains: { b: { controlPlane: true }, a: { attributes: { x: 'y' } } },
        conditions: [old('ControlPlaneInitialized', 'True')],
      },
    },
    {
      spec: {
        infrastructureRef: newInfra('MetalCluster', 'c'),
        controlPlaneRef: { apiGroup: 'controlplane.cluster.x-k8s.io', kind: 'TalosControlPlane', name: 'c' },
      },
      status: {
        initialization: { infrastructureProvisioned: true, controlPlaneInitialized: true },
        failureDomains: [
          { name: 'a', attributes: { x: 'y' } },
          { name: 'b', controlPlane: true },
        ],
        conditions: [
          {
            type: 'ControlPlaneInitialized',
            status: 'True',
            reason: 'ControlPlaneInitialized',
            message: '',
            lastTransitionTime: T,
          },
        ],
        deprecated: { v1beta1: { conditions: [old('ControlPlaneInitialized', 'True')] } },
      },
    },
  ],
  [
    'MachineSet',
    machineSetV1beta2,
    {
      spec: {
        clusterName: 'c',
        replicas: 2,
        selector: {},
        deletePolicy: 'Oldest',
        minReadySeconds: 5,
        machineNamingStrategy: { template: '{{ .random }}' },
        template: { metadata: { labels: { a: 'b' } }, spec: machineSpec },
      },
      status: {
        replicas: 2,
        readyReplicas: 1,
        fullyLabeledReplicas: 2,
        v1beta2: { upToDateReplicas: 2 },
        ...legacy,
      },
    },
    {
      spec: {
        clusterName: 'c',
        replicas: 2,
        selector: {},
        deletion: { order: 'Oldest' },
        machineNaming: { template: '{{ .random }}' },
        template: { metadata: { labels: { a: 'b' } }, spec: { ...newMachineSpec, minReadySeconds: 5 } },
      },
      status: {
        replicas: 2,
        readyReplicas: 1,
        upToDateReplicas: 2,
        conditions: shown,
        deprecated: { v1beta1: { readyReplicas: 1, fullyLabeledReplicas: 2, ...legacy } },
      },
    },
  ],
  [
    'MachineDeployment',
    machineDeploymentV1beta2,
    {
      spec: {
        clusterName: 'c',
        selector: {},
        minReadySeconds: 0,
        revisionHistoryLimit: 1,
        progressDeadlineSeconds: 600,
        rolloutAfter: T,
        strategy: {
          type: 'RollingUpdate',
          rollingUpdate: { maxSurge: 1, maxUnavailable: '10%', deletePolicy: 'Newest' },
          remediation: { maxInFlight: 2 },
        },
        template: { spec: machineSpec },
      },
      status: { phase: 'Running', updatedReplicas: 3, unavailableReplicas: 0, availableReplicas: 3 },
    },
    {
      spec: {
        clusterName: 'c',
        selector: {},
        deletion: { order: 'Newest' },
        rollout: {
          after: T,
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: '10%' } },
        },
        remediation: { maxInFlight: 2 },
        template: { spec: { ...newMachineSpec, minReadySeconds: 0 } },
      },
      status: {
        phase: 'Running',
        availableReplicas: 3,
        upToDateReplicas: 3,
        deprecated: { v1beta1: { updatedReplicas: 3, unavailableReplicas: 0, availableReplicas: 3 } },
      },
    },
  ],
  [
    'MachineHealthCheck',
    machineHealthCheckV1beta2,
    {
      spec: {
        clusterName: 'c',
        selector: {},
        maxUnhealthy: '40%',
        unhealthyRange: '[1-2]',
        nodeStartupTimeout: '10m0s',
        unhealthyConditions: [{ type: 'Ready', status: 'Unknown', timeout: '300s' }],
        remediationTemplate: { ...infra('MetalRemediationTemplate', 'r') },
      },
      status: { expectedMachines: 3, ...legacy },
    },
    {
      spec: {
        clusterName: 'c',
        selector: {},
        checks: {
          nodeStartupTimeoutSeconds: 600,
          unhealthyNodeConditions: [{ type: 'Ready', status: 'Unknown', timeoutSeconds: 300 }],
        },
        remediation: {
          triggerIf: { unhealthyLessThanOrEqualTo: '40%', unhealthyInRange: '[1-2]' },
          templateRef: {
            apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
            kind: 'MetalRemediationTemplate',
            name: 'r',
          },
        },
      },
      status: { expectedMachines: 3, conditions: shown, deprecated: { v1beta1: legacy } },
    },
  ],
];

const wrap = (kind: { readonly kind: string }, version: string, body: JsonObject): JsonObject => ({
  apiVersion: `cluster.x-k8s.io/${version}`,
  kind: kind.kind,
  metadata: { name: 'm', namespace: 'default' },
  ...body,
});
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('v1beta1 as v1beta2 has it', () => {
  for (const [name, kind, before, after] of cases) {
    it(name, () => {
      const there = kind.convert?.fromStorage(wrap(kind, 'v1beta1', before)) ?? {};
      assert.deepEqual(plain({ spec: there['spec'], status: there['status'] }), after);
      assert.equal(there['apiVersion'], 'cluster.x-k8s.io/v1beta2');
    });
  }
});

describe('what is written in v1beta2', () => {
  const stored = (kind: (typeof cases)[number][1], body: JsonObject): JsonObject =>
    kind.convert?.toStorage(wrap(kind, 'v1beta2', body)) ?? {};
  it('is stored with the namespace, the version and the defaults that v1beta1 has', () => {
    const object = stored(machineV1beta2, { spec: newMachineSpec });
    assert.deepEqual(plain(object['spec']), { ...machineSpec, nodeDeletionTimeout: '10s' });
    assert.deepEqual(asObject(object['metadata'])['labels'], { 'cluster.x-k8s.io/cluster-name': 'c' });
    const cluster = stored(clusterV1beta2, { spec: { infrastructureRef: newInfra('FakeCluster', 'c') } });
    assert.deepEqual(plain(cluster['spec']), {
      infrastructureRef: { ...infra('FakeCluster', 'c'), apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta1' },
    });
  });

  it('edits only what it edits: a version is changed, spans and what v1beta2 does not know stay', () => {
    const [, , before] = cases[3] ?? [];
    const there =
      machineDeploymentV1beta2.convert?.fromStorage(wrap(machineDeploymentV1beta2, 'v1beta1', before ?? {})) ?? {};
    const spec = asObject(there['spec']);
    const template = asObject(spec['template']);
    const edited = {
      ...there,
      spec: { ...spec, template: { ...template, spec: { ...asObject(template['spec']), version: 'v1.34.0' } } },
    };
    const back = machineDeploymentV1beta2.convert?.toStorage(edited) ?? {};
    assert.deepEqual(plain(back['spec']), {
      ...asObject(before?.['spec']),
      template: { spec: { ...machineSpec, version: 'v1.34.0' } },
    });
    assert.equal(asObject(asObject(back['metadata'])['annotations'])[CONVERSION_DATA], undefined);
  });

  it('a condition that is written there is kept beside the older ones', () => {
    const [, , before] = cases[0] ?? [];
    const there = machineV1beta2.convert?.fromStorage(wrap(machineV1beta2, 'v1beta1', before ?? {})) ?? {};
    const status = asObject(there['status']);
    const added = { type: 'UpToDate', status: 'True', reason: 'UpToDate', message: '', lastTransitionTime: T };
    const conditions = [...(status['conditions'] as JsonObject[]), added];
    const back = machineV1beta2.convert?.toStorage({ ...there, status: { ...status, conditions } }) ?? {};
    assert.deepEqual(plain(back['status']), { ...asObject(before?.['status']), v1beta2: { conditions: [added] } });
    const again = machineV1beta2.convert?.fromStorage(back) ?? {};
    const types = (asObject(again['status'])['conditions'] as JsonObject[]).map(({ type }) => type);
    assert.deepEqual(types, ['UpToDate', 'Ready', 'BootstrapConfigReady']);
  });

  it('is refused by the same rules', () => {
    const object = wrap(clusterV1beta2, 'v1beta2', { spec: { topology: { classRef: { name: 'x' } } } });
    const [problem] = clusterV1beta2.admit?.(object, undefined).problems ?? [];
    assert.equal(problem?.field, 'spec.topology');
    const machine = wrap(machineV1beta2, 'v1beta2', { spec: { ...newMachineSpec, bootstrap: {} } });
    assert.equal(machineV1beta2.admit?.(machine, undefined).problems[0]?.field, 'spec.bootstrap.data');
    const moved = wrap(machineV1beta2, 'v1beta2', { spec: { ...newMachineSpec, clusterName: 'other' } });
    const was = wrap(machineV1beta2, 'v1beta2', { spec: newMachineSpec });
    assert.equal(machineV1beta2.admit?.(moved, was).problems[0]?.field, 'spec.clusterName');
  });
});
