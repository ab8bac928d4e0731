import type { ObjectClient } from '@bloomery/kube';
import type { Machine, ObjectKey } from '@bloomery/model';
import { type Clock, isBloomeryError } from '@bloomery/ports';
import { parseGoDurationMs } from '@bloomery/wire';
import { quoteError } from '../../insight/quote-error.ts';
import type { WorkloadClusters } from './workload-clusters.ts';

/** How far one step of a Node's removal is. */
export type NodeStep =
  /** `skipped`: why it was given up, as a sentence for people; the removal goes on. */
  | { readonly done: true; readonly skipped?: string }
  /** `message` says what it waits for, `event` the same without numbers and names of Pods. */
  | { readonly done: false; readonly message: string; readonly event: string; readonly retryMs: number };

/** Which Node, and until when it is tried. */
export interface NodeStepRequest {
  readonly cluster: ObjectKey;
  readonly nodeName: string;
  /** When this step of this Machine began, as its status remembers it. */
  readonly startedMs: number;
  /** After so long it is given up; 0 = never. */
  readonly timeoutMs: number;
}

export interface NodeStepDeps {
  readonly clusters: Pick<WorkloadClusters, 'state' | 'client'>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** A workload API that gives no answer for so long does not hold up a deletion any longer (spec/cluster.md §10, 11). */
export const DEAD_API_MS = 120_000;
const RETRY_MS = 2000;

/** What the Machine says about the removal of its Node. */
export interface NodeRemovalSettings {
  readonly drain: boolean;
  readonly waitForVolumes: boolean;
  /** 0 = no limit. */
  readonly drainTimeoutMs: number;
  readonly volumeDetachTimeoutMs: number;
  readonly deletionTimeoutMs: number;
}

const EXCLUDE_DRAINING = 'machine.cluster.x-k8s.io/exclude-node-draining';
const EXCLUDE_VOLUMES = 'machine.cluster.x-k8s.io/exclude-wait-for-node-volume-detach';
const DELETION_TIMEOUT_MS = 10_000;

/** Read annotations and timeouts of a Machine. Unreadable durations count as absent. Pure. */
export function nodeRemovalSettings({ metadata, spec }: Machine): NodeRemovalSettings {
  const annotations = metadata.annotations ?? {};
  const durationMs = (text: string | undefined, absentMs: number): number =>
    Math.max(0, (text === undefined ? undefined : parseGoDurationMs(text)) ?? absentMs);
  return {
    drain: annotations[EXCLUDE_DRAINING] === undefined,
    waitForVolumes: annotations[EXCLUDE_VOLUMES] === undefined,
    drainTimeoutMs: durationMs(spec?.nodeDrainTimeout, 0),
    volumeDetachTimeoutMs: durationMs(spec?.nodeVolumeDetachTimeout, 0),
    deletionTimeoutMs: durationMs(spec?.nodeDeletionTimeout, DELETION_TIMEOUT_MS),
  };
}

/**
 * Run one step with a client of the workload cluster. A step that is over its time, or whose cluster has given no answer for
 * two minutes, is done and says what was skipped. Refusals of the API are said and tried again. Never throws for what the
 * workload cluster does.
 *
 * @param what the step as a noun, for messages: `draining Node x`
 */
export async function runNodeStep(
  deps: NodeStepDeps,
  request: NodeStepRequest,
  what: string,
  work: (client: ObjectClient) => Promise<NodeStep>,
): Promise<NodeStep> {
  const { clusters, clock } = deps;
  const { cluster, startedMs, timeoutMs } = request;
  const state = clusters.state(cluster);
  const lastedMs = clock.nowMs() - startedMs;
  const isOver = timeoutMs > 0 && lastedMs >= timeoutMs;
  if (state.state !== 'reachable') {
    const why = state.state === 'unreachable' ? state.why : REASONS[state.state];
    const sinceMs = state.state === 'unreachable' ? Math.max(startedMs, state.sinceMs) : startedMs;
    const limitMs = timeoutMs > 0 ? Math.min(timeoutMs, DEAD_API_MS) : DEAD_API_MS;
    if (isOver || clock.nowMs() - sinceMs >= limitMs) return { done: true, skipped: `${what} was skipped: ${why}` };
    const next = `it is skipped after ${Math.round(limitMs / 1000)} s without an answer`;
    return {
      done: false,
      message: `${what} waits: ${why}; ${next}`,
      event: `${what} waits: ${why}`,
      retryMs: RETRY_MS,
    };
  }
  let step: NodeStep;
  try {
    step = await work(clusters.client(cluster));
  } catch (error) {
    if (!isBloomeryError(error)) throw error;
    const failed = `${what} failed and is tried again: ${quoteError(error.message)}`;
    step = { done: false, message: failed, event: failed, retryMs: RETRY_MS };
  }
  if (step.done || !isOver) return step;
  const limit = `its time of ${Math.round(timeoutMs / 1000)} s is over`;
  return { done: true, skipped: `${what} was given up as ${limit}; last: ${step.message}` };
}

const REASONS = {
  noKubeconfig: 'the cluster has no kubeconfig Secret',
  connecting: 'the connection to the cluster is being made',
} as const;
