import {
  cluster,
  type KindRef,
  type KubeObject,
  machine,
  machineDeployment,
  machineHealthCheck,
  machineSet,
  metalCluster,
  metalMachine,
  server,
  serverBinding,
  talosConfig,
  talosControlPlane,
} from '@bloomery/model';

/** An object of a test, for createFakeSession. */
export interface TestItem {
  readonly kind: KindRef;
  readonly object: KubeObject;
}

/** Name of the Server below the control plane machine of `clusterOfTest`. */
export const SERVER = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';

const SINCE = '2026-01-01T11:00:00Z';
/** A kind that a user installed. */
export const otherMachine: KindRef = {
  group: 'infrastructure.example.org',
  version: 'v1',
  kind: 'OtherMachine',
  plural: 'othermachines',
  scope: 'Namespaced',
};
/** What the manager answers about `otherMachine`. */
export const DISCOVERY = {
  kind: 'APIResourceList',
  resources: [
    { name: 'othermachines/status', kind: 'OtherMachine', namespaced: true },
    { name: 'othermachines', kind: 'OtherMachine', namespaced: true },
  ],
};

interface Fields {
  readonly owner?: KubeObject;
  readonly spec?: object;
  readonly status?: object;
}

/** An object of a kind in the namespace of tests. */
export function item(kind: KindRef, name: string, rest: Fields = {}): TestItem {
  const { owner, ...fields } = rest;
  const apiVersion = `${kind.group}/${kind.version}`;
  const ownerReferences = owner && [
    { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name, uid: '' },
  ];
  const namespace = kind.scope === 'Cluster' ? {} : { namespace: 'default' };
  const metadata = {
    name,
    uid: `${kind.plural}-${name}`,
    ...namespace,
    ...(ownerReferences ? { ownerReferences } : {}),
  };
  return { kind, object: { apiVersion, kind: kind.kind, metadata, ...fields } };
}

/** Condition Ready of a status. */
export function ready(status: 'True' | 'False', reason?: string, message?: string): object {
  const severity = status === 'True' ? {} : { severity: 'Info' };
  return { type: 'Ready', status, ...severity, ...(reason ? { reason, message } : {}), lastTransitionTime: SINCE };
}

const ref = (kind: KindRef, name: string): object => ({
  apiVersion: `${kind.group}/${kind.version}`,
  kind: kind.kind,
  name,
});

/** A cluster of one control plane machine on a Server that waits for its BMC, and two workers of another infrastructure. */
export function clusterOfTest(): readonly TestItem[] {
  const controlPlane = item(talosControlPlane, 'forge-cp', {
    status: { conditions: [ready('False', 'ScalingUp', '0 of 1 machines')] },
  });
  const deployment = item(machineDeployment, 'forge-workers', {
    spec: { clusterName: 'forge', replicas: 2 },
    status: { conditions: [ready('False', 'WaitingForControlPlane', 'the control plane is not initialised')] },
  });
  const set = item(machineSet, 'forge-workers-a', { owner: deployment.object, spec: { clusterName: 'forge' } });
  const old = item(machineSet, 'forge-workers-old', {
    owner: deployment.object,
    spec: { clusterName: 'forge', replicas: 0 },
  });
  const machineOf = (name: string, owner: KubeObject, kind: KindRef, waits: object): TestItem =>
    item(machine, name, {
      owner,
      spec: {
        clusterName: 'forge',
        bootstrap: { configRef: ref(talosConfig, name) },
        infrastructureRef: ref(kind, name),
      },
      status: { phase: 'Provisioning', conditions: [waits] },
    });
  const waitsForServer = ready('False', 'WaitingForInfrastructure', 'MetalMachine default/forge-cp-1 is not ready');
  const waitsForPlane = ready('False', 'WaitingForControlPlane', 'the control plane is not initialised');
  const workers = ['forge-w1', 'forge-w2'];
  return [
    item(cluster, 'forge', {
      spec: { infrastructureRef: ref(metalCluster, 'forge'), controlPlaneRef: ref(talosControlPlane, 'forge-cp') },
      status: { phase: 'Provisioned', conditions: [ready('False', 'WaitingForControlPlane', 'it is not ready')] },
    }),
    item(cluster, 'other', { spec: {} }),
    item(metalCluster, 'forge', { status: { ready: true, conditions: [ready('True')] } }),
    controlPlane,
    deployment,
    set,
    old,
    machineOf('forge-cp-1', controlPlane.object, metalMachine, waitsForServer),
    item(talosConfig, 'forge-cp-1', { status: { initialization: { dataSecretCreated: true } } }),
    item(metalMachine, 'forge-cp-1', {
      status: { conditions: [ready('False', 'WaitingForPowerOn', 'Server is off')] },
    }),
    item(serverBinding, SERVER, {
      spec: { metalMachineRef: { name: 'forge-cp-1', namespace: 'default' }, addresses: ['10.5.0.1'] },
      status: { ready: true },
    }),
    item(server, SERVER, {
      spec: { accepted: true, hostname: 'rack1-u07' },
      status: {
        phase: 'Reserved',
        power: 'unknown',
        conditions: [
          ready('False', 'PowerUnknown', 'the BMC does not answer'),
          {
            type: 'BMCReachable',
            status: 'False',
            severity: 'Warning',
            reason: 'PowerFailed',
            lastTransitionTime: SINCE,
          },
        ],
      },
    }),
    ...workers.flatMap((name) => [
      machineOf(name, set.object, otherMachine, waitsForPlane),
      item(talosConfig, name, { status: { initialization: { dataSecretCreated: true } } }),
      item(otherMachine, name, { status: { ready: true } }),
    ]),
    item(machineHealthCheck, 'forge-workers', { spec: { clusterName: 'forge' }, status: {} }),
    item(machine, 'stranger', { spec: { clusterName: 'other', bootstrap: {}, infrastructureRef: {} } }),
  ];
}
