import type { Machine, TalosControlPlane } from '@bloomery/model';
import { ANNOTATIONS } from '@bloomery/model';
import type { EtcdMember } from '@bloomery/talos';
import type { ControlPlaneMachine, ControlPlaneObservation, EtcdReport, TalosReport } from '../observation.ts';

/** The time of all observations in tests. */
export const NOW_MS = Date.UTC(2026, 0, 2);

/** A member of etcd; its id is the number. */
export const memberOfEtcd = (id: number, more: Partial<EtcdMember> = {}): EtcdMember => ({
  id: BigInt(id),
  hostname: `m${id}`,
  peerUrls: [`https://10.0.0.${id}:2380`],
  clientUrls: [],
  isLearner: false,
  ...more,
});

/** What the etcd of member `id` reports when all is well. */
export const reportOfEtcd = (
  id: number,
  members: readonly EtcdMember[],
  more: Partial<EtcdReport> = {},
): EtcdReport => ({
  memberId: BigInt(id),
  leader: 1n,
  isLearner: false,
  members,
  errors: [],
  ...more,
});

/** A machine that answers. */
export const answering = (id: number, more: Partial<TalosReport> = {}): TalosReport => ({
  state: 'answers',
  address: `10.0.0.${id}`,
  services: [],
  etcd: undefined,
  etcdWhy: 'etcd does not run',
  hasData: undefined,
  version: undefined,
  ...more,
});

interface MachineSource {
  readonly metadata?: Partial<Machine['metadata']>;
  readonly spec?: Partial<NonNullable<Machine['spec']>>;
  readonly status?: Machine['status'];
}

/** Machine `m<id>` at 10.0.0.<id>, of the spec of `observed`. */
export function observedMachine(
  id: number,
  more: Partial<ControlPlaneMachine> = {},
  source: MachineSource = {},
): ControlPlaneMachine {
  const name = `m${id}`;
  return {
    name,
    machine: {
      apiVersion: 'cluster.x-k8s.io/v1beta1',
      kind: 'Machine',
      metadata: {
        name,
        namespace: 'default',
        annotations: { [ANNOTATIONS.preTerminateHook]: '' },
        ownerReferences: [{ apiVersion: 'x/v1', kind: 'TalosControlPlane', name: 'cp', uid: 'u', controller: true }],
        ...source.metadata,
      },
      spec: {
        clusterName: 'c',
        bootstrap: {},
        infrastructureRef: {},
        version: 'v1.32.0',
        providerID: name,
        ...source.spec,
      },
      status: source.status ?? {
        nodeRef: { name },
        addresses: [{ type: 'InternalIP', address: `10.0.0.${id}` }],
      },
    },
    config: undefined,
    infrastructure: undefined,
    talos: { state: 'noAddress' },
    node: undefined,
    ...more,
  };
}

/** Machines 1..n that are healthy members of one etcd. */
export function healthyMachines(count: number): ControlPlaneMachine[] {
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  const members = ids.map((id) => memberOfEtcd(id));
  return ids.map((id) =>
    observedMachine(id, { talos: answering(id, { etcd: reportOfEtcd(id, members), etcdWhy: '' }) }),
  );
}

/** A control plane of `machines`, with everything in order unless said otherwise. */
export function observed(
  machines: readonly ControlPlaneMachine[],
  spec: Partial<NonNullable<TalosControlPlane['spec']>> = {},
  more: Partial<ControlPlaneObservation> = {},
): ControlPlaneObservation {
  return {
    nowMs: NOW_MS,
    controlPlane: {
      apiVersion: 'controlplane.cluster.x-k8s.io/v1alpha3',
      kind: 'TalosControlPlane',
      metadata: { name: 'cp', namespace: 'default', finalizers: ['talos.controlplane.cluster.x-k8s.io'] },
      spec: {
        version: 'v1.32.0',
        replicas: machines.length,
        infrastructureTemplate: { kind: 'T', name: 't' },
        controlPlaneConfig: { controlplane: { generateType: 'controlplane' } },
        ...spec,
      },
    },
    cluster: {
      apiVersion: 'cluster.x-k8s.io/v1beta1',
      kind: 'Cluster',
      metadata: { name: 'c', namespace: 'default' },
      spec: { controlPlaneEndpoint: { host: '10.0.0.1', port: 6443 } },
      status: { infrastructureReady: true },
    },
    machines,
    straysSince: new Map(),
    template: { ok: true, groupKind: 'T.infra', isClaimed: true },
    workload: { state: 'reachable' },
    nodes: [],
    ...more,
  };
}
