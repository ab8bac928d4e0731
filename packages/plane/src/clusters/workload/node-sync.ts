import { type ObjectClient, patchObject } from '@bloomery/kube';
import {
  type JsonObject,
  LABELS,
  type Machine,
  type Node,
  node as nodeKind,
  type ObjectReference,
} from '@bloomery/model';
import { controllerOf } from '../contract/owner-reference.ts';

/** Domains whose labels go from a Machine to its Node: of the last two the subdomains as well. */
const LABEL_DOMAINS = [
  { domain: 'node-role.kubernetes.io', subdomains: false },
  { domain: 'node-restriction.kubernetes.io', subdomains: true },
  { domain: 'node.cluster.x-k8s.io', subdomains: true },
];
/** On Nodes: which labels came from the Machine, so that they go with the Machine's. */
const LABELS_FROM_MACHINE = 'cluster.x-k8s.io/labels-from-machine';
/** Keeps pods away until the labels are there. */
const UNINITIALIZED_TAINT = 'node.cluster.x-k8s.io/uninitialized';

/** The labels of a Machine that its Node gets. */
export function nodeLabels(labels: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => isForNode(key)));
}

function isForNode(key: string): boolean {
  const prefix = key.split('/')[0] ?? '';
  return LABEL_DOMAINS.some(
    ({ domain, subdomains }) => prefix === domain || (subdomains && prefix.endsWith(`.${domain}`)),
  );
}

/**
 * The merge patch that makes a Node know its Machine: labels of the three domains, annotations that say where it belongs, and
 * no taint `uninitialized`. undefined when nothing is to do. Labels that a Machine lost go, those of others stay. Pure.
 *
 * @see spec/cluster.md section 8
 */
export function planNodeSync(found: Node, machine: Machine): JsonObject | undefined {
  const { labels: have = {}, annotations: notes = {} } = found.metadata;
  const labels = nodeLabels(machine.metadata.labels);
  const owner = controllerOf(machine);
  const annotations: Readonly<Record<string, string>> = {
    'cluster.x-k8s.io/cluster-name': machine.spec?.clusterName ?? machine.metadata.labels?.[LABELS.clusterName] ?? '',
    'cluster.x-k8s.io/cluster-namespace': machine.metadata.namespace ?? 'default',
    'cluster.x-k8s.io/machine': machine.metadata.name,
    ...(owner === undefined
      ? {}
      : { 'cluster.x-k8s.io/owner-kind': owner.kind, 'cluster.x-k8s.io/owner-name': owner.name }),
    [LABELS_FROM_MACHINE]: Object.keys(labels).sort().join(','),
  };
  const lost = (notes[LABELS_FROM_MACHINE] ?? '')
    .split(',')
    .filter((key) => key !== '' && labels[key] === undefined && have[key] !== undefined);
  const metadata = {
    ...group('labels', { ...different(labels, have), ...Object.fromEntries(lost.map((key) => [key, null])) }),
    ...group('annotations', different(annotations, notes)),
  };
  const taints = found.spec?.taints ?? [];
  const kept = taints.filter(({ key }) => key !== UNINITIALIZED_TAINT);
  const patch = {
    ...group('metadata', metadata),
    ...(kept.length === taints.length ? {} : { spec: { taints: kept.map((taint) => ({ ...taint })) } }),
  };
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function different(
  wanted: Readonly<Record<string, string>>,
  have: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => have[key] !== value));
}

function group(name: string, members: JsonObject): JsonObject {
  return Object.keys(members).length === 0 ? {} : { [name]: members };
}

/**
 * Write what `planNodeSync` plans, by the Node as the API has it at this moment. Costs nothing when the Node at hand is in order.
 *
 * @param client of the workload cluster
 * @throws BLM_WORKLOAD_UNREACHABLE, BLM_API_*
 */
export async function syncNode(client: ObjectClient, found: Node, machine: Machine): Promise<void> {
  if (planNodeSync(found, machine) === undefined) return;
  await patchObject(client, nodeKind, { name: found.metadata.name }, (current) => planNodeSync(current, machine));
}

/** `status.nodeRef` of the Machine of a Node. */
export function nodeReference({ metadata: { name, uid } }: Node): ObjectReference {
  return { apiVersion: 'v1', kind: 'Node', name, ...(uid === undefined ? {} : { uid }) };
}

/** How a Node is, as the condition NodeHealthy has it. */
export type NodeHealth =
  | { readonly status: 'True' }
  /** `message` names the conditions that are not as they should be. */
  | { readonly status: 'False' | 'Unknown'; readonly message: string };

/** What the conditions of a healthy Node are. */
const HEALTHY: Readonly<Record<string, string>> = {
  Ready: 'True',
  MemoryPressure: 'False',
  DiskPressure: 'False',
  PIDPressure: 'False',
};

/** Judge a Node by its conditions Ready and those of pressure. Unknown when the kubelet has not reported for a while. Pure. */
export function nodeHealth({ metadata, status }: Node): NodeHealth {
  const conditions = status?.conditions ?? [];
  const odd = conditions.filter((c) => HEALTHY[c.type] !== undefined && HEALTHY[c.type] !== c.status);
  const hasReady = conditions.some(({ type }) => type === 'Ready');
  if (!hasReady)
    return { status: 'Unknown', message: `Node ${metadata.name} has not reported its condition Ready yet` };
  if (odd.length === 0) return { status: 'True' };
  const texts = odd.map((c) => `${c.type} is ${c.status}${c.message ? ` (${c.message})` : ''}`);
  const isUnknown = odd.every((c) => c.status === 'Unknown');
  return { status: isUnknown ? 'Unknown' : 'False', message: `Node ${metadata.name}: ${texts.join(', ')}` };
}
