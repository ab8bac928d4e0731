import type { ConditionDraft } from '@bloomery/kube';
import type { Cluster, Machine, Node, ObjectKey } from '@bloomery/model';
import { keyOf } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import { nodeHealth } from '../workload/node-sync.ts';
import type { WorkloadClusters } from '../workload/workload-clusters.ts';

/** What is known of the Node of a Machine at this moment. */
export type NodeView =
  /** There is no provider id to look for, or no Cluster to ask. */
  | { readonly state: 'unasked' }
  | { readonly state: 'found'; readonly node: Node }
  /** The Nodes are known, and none has the provider id. */
  | { readonly state: 'absent' }
  /** The Nodes cannot be told, or not which of them; `why` is for people. `node` is the last one that was seen. */
  | { readonly state: 'unknown'; readonly why: string; readonly node?: Node };

/** Look for the Node with a provider id among the Nodes of a cluster. Costs no call. */
export function viewNode(
  workloads: Pick<WorkloadClusters, 'state' | 'nodes' | 'nodeByProviderId'>,
  cluster: Cluster | undefined,
  providerId: string | undefined,
): NodeView {
  if (cluster === undefined || providerId === undefined || providerId === '') return { state: 'unasked' };
  const key = keyOf(cluster);
  const state = workloads.state(key);
  try {
    const node = workloads.nodeByProviderId(key, providerId);
    if (state.state === 'reachable') {
      if (node !== undefined) return { state: 'found', node };
      return workloads.nodes(key) === undefined
        ? { state: 'unknown', why: 'the Nodes of the cluster have not been listed yet' }
        : { state: 'absent' };
    }
    return { state: 'unknown', why: unknownText(key, state), ...(node === undefined ? {} : { node }) };
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_NODE_AMBIGUOUS')) throw error;
    return { state: 'unknown', why: error.message };
  }
}

function unknownText(cluster: ObjectKey, state: ReturnType<WorkloadClusters['state']>): string {
  if (state.state === 'noKubeconfig') return `Secret ${cluster.name}-kubeconfig does not exist yet`;
  if (state.state === 'unreachable')
    return `the Kubernetes API of Cluster ${cluster.name} does not answer: ${state.why}`;
  return `connecting to the Kubernetes API of Cluster ${cluster.name}`;
}

/** The condition NodeHealthy of a Machine. */
export function nodeCondition(machine: Machine, view: NodeView): ConditionDraft {
  const type = 'NodeHealthy';
  const had = machine.status?.nodeRef?.name;
  switch (view.state) {
    case 'unasked':
      return {
        type,
        status: 'False',
        severity: 'Info',
        reason: 'WaitingForNodeRef',
        message: 'the infrastructure has not given a provider id yet',
      };
    case 'unknown':
      return { type, status: 'Unknown', reason: 'NodeInspectionFailed', message: view.why };
    case 'absent':
      return had
        ? {
            type,
            status: 'False',
            severity: 'Error',
            reason: 'NodeNotFound',
            message: `Node ${had} is gone: no Node has the provider id ${machine.spec?.providerID ?? ''}`,
          }
        : {
            type,
            status: 'False',
            severity: 'Warning',
            reason: 'NodeProvisioning',
            message: `no Node with provider id ${machine.spec?.providerID ?? ''} has joined yet`,
          };
    case 'found': {
      const health = nodeHealth(view.node);
      if (health.status === 'True') return { type, status: 'True' };
      const { status, message } = health;
      return {
        type,
        status,
        ...(status === 'False' ? { severity: 'Warning' as const } : {}),
        reason: 'NodeConditionsFailed',
        message,
      };
    }
  }
}
