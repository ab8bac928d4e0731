import type { ObjectClient, WakeSource } from '@bloomery/kube';
import type { Node, ObjectKey } from '@bloomery/model';

/** What is known of a workload cluster's Kubernetes API at this moment. */
export type WorkloadState =
  /** There is no Secret `<cluster>-kubeconfig`. */
  | { readonly state: 'noKubeconfig' }
  | { readonly state: 'connecting' }
  /** Nodes are followed by a watch. */
  | { readonly state: 'reachable' }
  /** It was tried since `sinceMs`; `why` is one sentence for people. It is tried again by itself. */
  | { readonly state: 'unreachable'; readonly sinceMs: number; readonly why: string };

/**
 * The Kubernetes APIs of the clusters that we make. Opened at the first question about a cluster and kept while its
 * kubeconfig Secret is there; Nodes come by watch, so that asking for them costs no call.
 */
export interface WorkloadClusters extends AsyncDisposable {
  state(cluster: ObjectKey): WorkloadState;
  /** Nodes by the last watch event; undefined until they were listed once. Stays as it was while unreachable. */
  nodes(cluster: ObjectKey): readonly Node[] | undefined;
  /** The only Node with this provider id. @throws BloomeryError BLM_NODE_AMBIGUOUS when there are two */
  nodeByProviderId(cluster: ObjectKey, providerId: string): Node | undefined;
  /** For writes and rarer kinds; each call has a deadline of 10 s. @throws BloomeryError BLM_WORKLOAD_UNREACHABLE */
  client(cluster: ObjectKey): ObjectClient;
  /** Wakes keys when a Node of a cluster or the cluster's state changed. */
  wake(map: (cluster: ObjectKey, node: Node | undefined) => readonly ObjectKey[]): WakeSource;
}
