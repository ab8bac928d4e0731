import { allKinds, crdOf, type JsonObject, versionsByKind } from '@bloomery/model';
import { managerDeployment, managerServices } from './manager.ts';
import type { Provider } from './providers.ts';

/** The objects of a provider's components file, in the order of their creation. */
export function componentsOf(provider: Provider): readonly JsonObject[] {
  const { namespace, groups, labels } = provider;
  const definitions = versionsByKind(allKinds.filter(({ group }) => groups.includes(group))).map(crdOf);
  const namespaceObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      // Ports 67 and 69, and the tunnel device.
      ...(provider.prefix === 'sidero' ? { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } } : {}),
    },
  };
  const all = [
    namespaceObject,
    ...definitions,
    ...accessOf(provider),
    ...managerServices(provider),
    managerDeployment(provider),
  ];
  return all.map((object) => withLabels(object, labels));
}

function accessOf({ namespace, prefix, rules }: Provider): readonly JsonObject[] {
  const account = { name: `${prefix}-manager`, namespace };
  const role = `${prefix}-manager-role`;
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: account },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: role }, rules: [...rules] },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: `${prefix}-manager-rolebinding` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    },
  ];
}

function withLabels(object: JsonObject, labels: Provider['labels']): JsonObject {
  const metadata = object['metadata'] as JsonObject;
  const own = metadata['labels'] as JsonObject | undefined;
  const { name, namespace, ...rest } = metadata;
  const named = { name: name ?? null, ...(namespace === undefined ? {} : { namespace }) };
  return { ...object, metadata: { ...named, ...rest, labels: { ...labels, ...own } } };
}
