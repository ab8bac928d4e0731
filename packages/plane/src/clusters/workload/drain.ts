import { findObject, type ObjectClient } from '@bloomery/kube';
import { type Node, node as nodeKind, type Pod, podEviction, pod as podKind } from '@bloomery/model';
import { type BloomeryError, isBloomeryError } from '@bloomery/ports';
import { quoteError } from '../../insight/quote-error.ts';
import { isNodeUnreachable, planDrain, podNames } from './drain-plan.ts';
import { type NodeStep, type NodeStepDeps, type NodeStepRequest, runNodeStep } from './node-step.ts';

const PAGE_SIZE = 500;
/** Evictions sent at the same time, and in one step. */
const MAX_PARALLEL = 10;
const MAX_PER_STEP = 100;
const TERMINATING_RETRY_MS = 1000;
const BUDGET_RETRY_MS = 5000;

/**
 * Empty a Node: cordon it, evict its Pods through the API, so that PodDisruptionBudgets hold, and wait for them to go. Pods of
 * DaemonSets, static and finished ones stay; those with local data and those of nobody go, as with Cluster API. One step: call
 * it again after `retryMs` until it is done. A Node that is gone is empty.
 *
 * @see spec/cluster.md section 8
 */
export function drainNode(deps: NodeStepDeps, request: NodeStepRequest): Promise<NodeStep> {
  return runNodeStep(deps, request, `draining Node ${request.nodeName}`, (client) => drain(client, request.nodeName));
}

async function drain(client: ObjectClient, name: string): Promise<NodeStep> {
  const found = await findObject(client, nodeKind, { name });
  if (found === undefined) return { done: true };
  await cordon(client, found);
  const isUnreachable = isNodeUnreachable(found);
  const { evict, terminating } = planDrain(await podsOf(client, name), isUnreachable);
  const outcomes = await evictAll(client, evict.slice(0, MAX_PER_STEP), isUnreachable);
  const evicted = outcomes.filter(({ outcome }) => outcome === 'evicted').map(({ pod }) => pod);
  const held = outcomes.filter(({ outcome }) => outcome === 'held').map(({ pod }) => pod);
  const failed = outcomes.filter(({ outcome }) => typeof outcome !== 'string');
  const going = isUnreachable ? [] : [...terminating, ...evicted];
  const left = evict.length - Math.min(evict.length, MAX_PER_STEP);
  const [first] = failed;
  const parts = [
    ...(held.length === 0 ? [] : [`${count(held)} held by a PodDisruptionBudget (${podNames(held)})`]),
    ...(first === undefined || typeof first.outcome === 'string'
      ? []
      : [`${count(failed)} not evicted (${podNames(failed.map((f) => f.pod))}): ${quoteError(first.outcome.message)}`]),
    ...(going.length === 0 ? [] : [`${count(going)} terminating (${podNames(going)})`]),
    ...(left === 0 ? [] : [`${left} Pods still to be evicted`]),
  ];
  if (parts.length === 0) return { done: true };
  const isStuck = held.length > 0 || failed.length > 0;
  return {
    done: false,
    message: `draining Node ${name}: ${parts.join(', ')}`,
    event:
      held.length > 0 ? `a PodDisruptionBudget holds up the draining of Node ${name}` : `Node ${name} is being drained`,
    retryMs: isStuck && going.length === 0 ? BUDGET_RETRY_MS : TERMINATING_RETRY_MS,
  };
}

const count = (of: readonly unknown[]): string => `${of.length} ${of.length === 1 ? 'Pod' : 'Pods'}`;

async function cordon(client: ObjectClient, { metadata: { name }, spec }: Node): Promise<void> {
  if (spec?.unschedulable === true) return;
  await client.patch(nodeKind, { name }, { type: 'merge', body: { spec: { unschedulable: true } } });
}

/** All Pods of a Node. */
export async function podsOf(client: ObjectClient, nodeName: string): Promise<readonly Pod[]> {
  const pods: Pod[] = [];
  let next: string | undefined;
  do {
    const more = next === undefined ? {} : { continue: next };
    const page = await client.list(podKind, { fields: `spec.nodeName=${nodeName}`, limit: PAGE_SIZE, ...more });
    pods.push(...page.items);
    next = page.continue;
  } while (next !== undefined && next !== '');
  return pods;
}

interface EvictionOutcome {
  readonly pod: Pod;
  /** `held`: a PodDisruptionBudget refuses it for now. `gone`: it was not there any more. */
  readonly outcome: 'evicted' | 'gone' | 'held' | BloomeryError;
}

async function evictAll(
  client: ObjectClient,
  pods: readonly Pod[],
  isUnreachable: boolean,
): Promise<readonly EvictionOutcome[]> {
  const outcomes: EvictionOutcome[] = [];
  for (let start = 0; start < pods.length; start += MAX_PARALLEL) {
    const batch = pods.slice(start, start + MAX_PARALLEL);
    outcomes.push(...(await Promise.all(batch.map((pod) => evictOne(client, pod, isUnreachable)))));
  }
  return outcomes;
}

async function evictOne(client: ObjectClient, pod: Pod, isUnreachable: boolean): Promise<EvictionOutcome> {
  const { name, namespace, uid } = pod.metadata;
  const deleteOptions = {
    ...(uid === undefined ? {} : { preconditions: { uid } }),
    // Nobody is there to let it end in peace.
    ...(isUnreachable ? { gracePeriodSeconds: 1 } : {}),
  };
  const metadata = namespace === undefined ? { name } : { name, namespace };
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata, deleteOptions };
  try {
    await client.create(podEviction, eviction, { below: 'eviction' });
    return { pod, outcome: 'evicted' };
  } catch (error) {
    if (!isBloomeryError(error) || isBloomeryError(error, 'BLM_WORKLOAD_UNREACHABLE')) throw error;
    // A conflict is one of the uid: another Pod has its name by now, on whatever Node.
    const isGone = isBloomeryError(error, 'BLM_API_NOT_FOUND') || isBloomeryError(error, 'BLM_API_CONFLICT');
    if (isGone) return { pod, outcome: 'gone' };
    return { pod, outcome: httpCodeOf(error) === 429 ? 'held' : error };
  }
}

function httpCodeOf({ facts }: BloomeryError): number | undefined {
  const { status } = facts as { readonly status?: { readonly code?: number } };
  return status?.code;
}
