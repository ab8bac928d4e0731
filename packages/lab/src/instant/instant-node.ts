import type { ObjectClient } from '@bloomery/kube';
import { type Node, node } from '@bloomery/model';
import { type Clock, isBloomeryError } from '@bloomery/ports';

/** What a Node says of its machine. */
export interface InstantNode {
  readonly name: string;
  readonly address: string;
  readonly providerId: string;
  readonly isControlPlane: boolean;
  readonly kubeletVersion: string;
  readonly talosVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly isReady: boolean;
}

/** The machine's kubelet registers it. Nothing happens when the Node is there. */
export async function registerNode(client: ObjectClient, machine: InstantNode, clock: Clock): Promise<void> {
  const { name, providerId, isControlPlane, labels } = machine;
  const roles = isControlPlane ? { 'node-role.kubernetes.io/control-plane': '' } : {};
  const fresh = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...roles, ...labels } },
    spec: { providerID: providerId },
    status: statusOf(machine, clock),
  } as unknown as Node;
  try {
    await client.create(node, fresh);
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) throw error;
  }
  await reportNode(client, machine, clock);
}

/** The machine's kubelet tells how it is, or the node controller that it tells nothing. A Node that is gone stays gone. */
export async function reportNode(client: ObjectClient, machine: InstantNode, clock: Clock): Promise<void> {
  const body = { status: statusOf(machine, clock) };
  try {
    await client.patch(node, { name: machine.name }, { type: 'merge', body }, { subresource: 'status' });
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
  }
}

function statusOf({ name, address, kubeletVersion, talosVersion, isReady }: InstantNode, clock: Clock) {
  const now = `${new Date(clock.nowMs()).toISOString().slice(0, 19)}Z`;
  const ready = isReady
    ? { status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
    : { status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' };
  return {
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ],
    nodeInfo: {
      machineID: name,
      systemUUID: name,
      bootID: name,
      kernelVersion: '6.12.0-talos',
      osImage: `Talos (${talosVersion})`,
      containerRuntimeVersion: 'containerd://2.1.0',
      kubeletVersion,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: 'amd64',
    },
    conditions: [{ type: 'Ready', lastHeartbeatTime: now, lastTransitionTime: now, ...ready }],
  };
}
