import { keyText, type Node, type Pod } from '@bloomery/model';

/** What draining has to do with the Pods of a Node. */
export interface DrainPlan {
  readonly evict: readonly Pod[];
  /** Evicted before, and still there. */
  readonly terminating: readonly Pod[];
  /** Stay where they are: of DaemonSets, static, finished, or told to by a label. */
  readonly staying: readonly Pod[];
}

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';
const DRAIN_LABEL = 'cluster.x-k8s.io/drain';
/** Pods that a message names; the others are counted. */
const NAMED = 3;

/** The kubelet has not reported for so long that the Node counts as gone. */
export function isNodeUnreachable({ status }: Node): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'Unknown') === true;
}

/**
 * Sort the Pods of a Node. Of an unreachable Node nobody confirms that a Pod is gone: those that are terminating are not waited
 * for. Pure.
 */
export function planDrain(pods: readonly Pod[], isUnreachable: boolean): DrainPlan {
  const staying = pods.filter(isStaying);
  const rest = pods.filter((one) => !isStaying(one));
  const isTerminating = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;
  return {
    evict: rest.filter((one) => !isTerminating(one)),
    terminating: isUnreachable ? [] : rest.filter(isTerminating),
    staying,
  };
}

function isStaying({ metadata, status }: Pod): boolean {
  const { annotations = {}, labels = {}, ownerReferences = [] } = metadata;
  return (
    status?.phase === 'Succeeded' ||
    status?.phase === 'Failed' ||
    annotations[MIRROR_ANNOTATION] !== undefined ||
    labels[DRAIN_LABEL]?.toLowerCase() === 'skip' ||
    ownerReferences.some(({ kind, controller }) => controller === true && kind === 'DaemonSet')
  );
}

/** `a/x, a/y, a/z and 4 more`: in order of their names, so that the same Pods give the same text. */
export function podNames(pods: readonly Pod[]): string {
  const names = pods.map(({ metadata: { name, namespace = '' } }) => keyText({ name, namespace })).sort();
  const more = names.length - NAMED;
  return `${names.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
