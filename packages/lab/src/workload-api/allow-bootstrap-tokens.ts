import type { ObjectClient } from '@bloomery/kube';
import type { JsonObject, KindRef, KubeObject } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';

const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1', scope: 'Cluster' } as const;
const clusterRole: KindRef = { ...RBAC, kind: 'ClusterRole', plural: 'clusterroles' };
const clusterRoleBinding: KindRef = { ...RBAC, kind: 'ClusterRoleBinding', plural: 'clusterrolebindings' };
const NAME = 'stand-in:node-registration';

/**
 * Let machines with the bootstrap token keep their own Node. A real kubelet asks for a client certificate with that token;
 * the stand-in has nobody who would sign it.
 */
export async function allowBootstrapTokens(client: ObjectClient): Promise<void> {
  const rules: JsonObject[] = [
    { apiGroups: [''], resources: ['nodes'], verbs: ['create', 'get', 'list', 'patch', 'update'] },
    { apiGroups: [''], resources: ['nodes/status'], verbs: ['patch', 'update'] },
  ];
  const apiVersion = `${RBAC.group}/${RBAC.version}`;
  await ensure(client, clusterRole, { apiVersion, kind: 'ClusterRole', metadata: { name: NAME }, rules });
  await ensure(client, clusterRoleBinding, {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name: NAME },
    roleRef: { apiGroup: RBAC.group, kind: 'ClusterRole', name: NAME },
    subjects: [{ apiGroup: RBAC.group, kind: 'Group', name: 'system:bootstrappers' }],
  });
}

async function ensure(client: ObjectClient, kind: KindRef, object: KubeObject & JsonObject): Promise<void> {
  try {
    await client.create(kind, object);
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) throw error;
  }
}
