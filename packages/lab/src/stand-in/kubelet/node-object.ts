import type { JsonObject, Node } from '@bloomery/model';
import type { ClusterConfig } from '../cluster-config.ts';

/** What a machine knows of itself for its Node. */
export interface NodeFacts {
  readonly hostname: string;
  readonly uuid: string;
  /** Best first; those of the link not among them. */
  readonly addresses: readonly string[];
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly kernelVersion: string;
  readonly bootId: string;
  /** Of the stand-in. */
  readonly osVersion: string;
}

/** How the machine is at this moment. */
export interface NodeHealth {
  readonly isReady: boolean;
  readonly message: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane';
const NO_SCHEDULE = { key: CONTROL_PLANE, effect: 'NoSchedule' };

/** The Node that a machine registers itself as. A `providerID` is not its business: whoever made the machine sets it. */
export function nodeObject(facts: NodeFacts, { isControlPlane, nodeLabels }: ClusterConfig, arch: string): Node {
  const labels = {
    'kubernetes.io/arch': ARCHITECTURES[arch] ?? arch,
    'kubernetes.io/hostname': facts.hostname,
    'kubernetes.io/os': 'linux',
    ...(isControlPlane ? { [CONTROL_PLANE]: '' } : {}),
    ...nodeLabels,
  };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: facts.hostname, labels },
    spec: isControlPlane ? { taints: [NO_SCHEDULE] } : {},
  };
}

/** The status of that Node as a merge patch; `before`: as it is, for times of transitions. */
export function nodeStatus(
  facts: NodeFacts,
  { kubernetesVersion }: Pick<ClusterConfig, 'kubernetesVersion'>,
  { health, before, now }: { readonly health: NodeHealth; readonly before: Node; readonly now: string },
): JsonObject {
  const status = health.isReady ? 'True' : 'False';
  const old = before.status?.conditions?.find((condition) => condition.type === 'Ready');
  const ready = {
    type: 'Ready',
    status,
    reason: health.isReady ? 'StandInReady' : 'StandInNotReady',
    message: health.message,
    lastHeartbeatTime: now,
    lastTransitionTime: old?.status === status ? (old.lastTransitionTime ?? now) : now,
  };
  const capacity = { cpu: String(facts.cpus), memory: `${Math.floor(facts.memoryBytes / 1024)}Ki`, pods: '0' };
  return {
    addresses: [
      ...facts.addresses.map((address) => ({ type: 'InternalIP', address })),
      { type: 'Hostname', address: facts.hostname },
    ],
    capacity,
    allocatable: capacity,
    conditions: [ready],
    nodeInfo: {
      architecture: before.metadata.labels?.['kubernetes.io/arch'] ?? '',
      bootID: facts.bootId,
      containerRuntimeVersion: 'none://0.0.0',
      kernelVersion: facts.kernelVersion,
      kubeProxyVersion: '',
      // Build metadata: the same version for whoever compares versions, and not a kubelet for whoever reads.
      kubeletVersion: `${kubernetesVersion}+stand-in`,
      machineID: facts.uuid.replaceAll('-', ''),
      operatingSystem: 'linux',
      osImage: `Talos stand-in (${facts.osVersion}, a lab program, not Talos Linux)`,
      systemUUID: facts.uuid,
    },
  };
}
