import { type Json, jsonEqual, type Node } from '@bloomery/model';

/** Longer values are not what a controller reads (manifests, route tables). */
const MAX_ANNOTATION_CHARACTERS = 512;

/**
 * What is kept of a Node: identity, labels, annotations of at most 512 characters (Cluster API's all), spec, addresses, conditions and nodeInfo.
 * Heartbeat times go too, so that a Node that only says it lives is no change. A tenth of what the API sends.
 */
export function trimNode(found: Node): Node {
  const { name, uid, resourceVersion, creationTimestamp, deletionTimestamp, labels, annotations } = found.metadata;
  const { addresses, conditions, nodeInfo } = found.status ?? {};
  const { providerID, taints, unschedulable } = found.spec ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      ...defined({ uid, resourceVersion, creationTimestamp, deletionTimestamp, labels }),
      ...(annotations === undefined ? {} : { annotations: shortOnes(annotations) }),
    },
    spec: defined({ providerID, taints, unschedulable }),
    status: defined({
      addresses,
      nodeInfo,
      conditions: conditions?.map(({ lastHeartbeatTime: _, ...rest }) => rest),
    }),
  };
}

/** Whether two trimmed Nodes say the same. */
export function sameNode(a: Node, b: Node): boolean {
  return jsonEqual(content(a), content(b));
}

function content({ metadata, spec, status }: Node): Json {
  return { metadata: { ...metadata, resourceVersion: '' }, spec, status } as unknown as Json;
}

function shortOnes(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(annotations).filter(
      ([key, value]) => value.length <= MAX_ANNOTATION_CHARACTERS || key.includes('cluster.x-k8s.io'),
    ),
  );
}

function defined<T extends object>(value: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}
