import type { ConditionDraft, EventDraft } from '@bloomery/kube';
import { findCondition } from '@bloomery/kube';
import { type Condition, LABELS, type Node, node as nodeKind, type ObjectKey } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { WorkloadClusters, WorkloadState } from '../../clusters/workload/workload-clusters.ts';
import { quoteError } from '../../insight/quote-error.ts';

/** What is to do so that the Node of a Server carries its provider id. */
export type ProviderSetPlan =
  | { readonly do: 'nothing'; readonly node: string }
  | { readonly do: 'write'; readonly node: string; readonly have: string | undefined }
  /** `isNews`: somebody must act, so that it deserves an Event. */
  | { readonly do: 'wait'; readonly message: string; readonly isNews: boolean };

/** The condition ProviderSet, and whether it is to be tried again without a change being seen. */
export interface ProviderSetOutcome {
  readonly condition: ConditionDraft;
  readonly event?: EventDraft;
  readonly retryMs?: number;
}

const RETRY_MS = 10_000;
const NO_CONNECTION = {
  noKubeconfig: 'the workload cluster has no kubeconfig Secret yet',
  connecting: 'the connection to the workload cluster is being made',
} as const;

/** The provider id of the Node on a Server, and of its MetalMachine. */
export function providerIdOf(server: string): string {
  return `sidero://${server}`;
}

/**
 * Find the Node by the label that the metadata server gives to the kubelet. Pure.
 *
 * @see spec/metal.md section 9
 */
export function planProviderSet(
  server: string,
  state: WorkloadState,
  nodes: readonly Node[] | undefined,
): ProviderSetPlan {
  const found = (nodes ?? []).filter(({ metadata }) => metadata.labels?.[LABELS.nodeServer] === server);
  const [first, second] = found;
  if (second !== undefined) {
    const names = found.map(({ metadata }) => metadata.name).join(', ');
    const message = `multiple nodes found with same uuid label: ${names}; delete the Nodes whose machines are gone`;
    return { do: 'wait', message, isNews: true };
  }
  if (first?.spec?.providerID === providerIdOf(server)) return { do: 'nothing', node: first.metadata.name };
  if (state.state === 'unreachable') return { do: 'wait', message: state.why, isNews: false };
  if (state.state !== 'reachable') return { do: 'wait', message: NO_CONNECTION[state.state], isNews: false };
  if (first === undefined) return { do: 'wait', message: 'no matching nodes found', isNews: false };
  return { do: 'write', node: first.metadata.name, have: first.spec?.providerID };
}

/**
 * Give the Node of a Server its provider id, by which Cluster API finds it. Costs no call when it has it.
 *
 * @param before the conditions so far: an Event is made only of what changed
 */
export async function setProviderIdOfNode(
  workload: Pick<WorkloadClusters, 'state' | 'nodes' | 'client'>,
  cluster: ObjectKey,
  server: string,
  before: readonly Condition[] | undefined,
): Promise<ProviderSetOutcome> {
  const plan = planProviderSet(server, workload.state(cluster), workload.nodes(cluster));
  if (plan.do === 'wait') return failed(plan.message, plan.isNews, before);
  if (plan.do === 'nothing') return succeeded(plan.node, server, before);
  const body = { spec: { providerID: providerIdOf(server) } };
  try {
    await workload.client(cluster).patch(nodeKind, { name: plan.node }, { type: 'merge', body });
    return succeeded(plan.node, server, before);
  } catch (error) {
    if (!isBloomeryError(error)) throw error;
    const isRefused = plan.have !== undefined && plan.have !== '';
    const message = isRefused
      ? `Node ${plan.node} carries provider id ${plan.have}, which cannot be changed; delete the Node, its kubelet makes it again`
      : `setting the provider id of Node ${plan.node}: ${quoteError(error.message)}`;
    return { ...failed(message, isRefused, before), retryMs: RETRY_MS };
  }
}

function succeeded(node: string, server: string, before: readonly Condition[] | undefined): ProviderSetOutcome {
  const condition = { type: 'ProviderSet', status: 'True' } as const;
  if (findCondition(before, 'ProviderSet')?.status === 'True') return { condition };
  const message = `Node ${node} carries the provider id ${providerIdOf(server)}`;
  return { condition, event: { type: 'Normal', reason: 'ProviderSet', message } };
}

function failed(message: string, isNews: boolean, before: readonly Condition[] | undefined): ProviderSetOutcome {
  const reason = 'ProviderUpdateFailed';
  const condition = { type: 'ProviderSet', status: 'False', severity: 'Warning', reason, message } as const;
  const isSaid = findCondition(before, 'ProviderSet')?.message === message;
  return isNews && !isSaid ? { condition, event: { type: 'Warning', reason, message } } : { condition };
}
