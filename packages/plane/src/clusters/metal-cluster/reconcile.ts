import type { Controller } from '@bloomery/kube';
import { findObject, patchStatus, setFinalizer, watchSource } from '@bloomery/kube';
import type { MetalCluster } from '@bloomery/model';
import { cluster, FINALIZERS, keyOf, metalCluster } from '@bloomery/model';
import { waitCondition, waitEvent } from '../../allocation/wait.ts';
import { planMetalCluster } from './plan.ts';

/** The controller that makes a MetalCluster ready once a Cluster owns it. */
export function createMetalClusterController(): Controller<MetalCluster> {
  return {
    name: 'metal-cluster',
    kind: metalCluster,
    watches: [
      watchSource(cluster, ({ metadata }, cache) =>
        cache
          .list(metalCluster, metadata.namespace)
          .filter((m) => m.metadata.ownerReferences?.some((o) => o.kind === 'Cluster' && o.name === metadata.name))
          .map(keyOf),
      ),
    ],
    writes: ['MetalCluster.status', 'MetalCluster.metadata.finalizers'],
    async reconcile(key, context) {
      const { client, cache, events } = context;
      const found = await findObject(client, metalCluster, key);
      if (found === undefined) return {};
      const named = found.metadata.ownerReferences?.find(({ kind }) => kind === 'Cluster');
      const owner = named && cache.get(cluster, { name: named.name, namespace: key.namespace ?? 'default' });
      const plan = planMetalCluster(found, owner);
      if (plan.do === 'finish') {
        await setFinalizer(client, metalCluster, key, FINALIZERS.metalCluster, 'absent');
        return {};
      }
      if (plan.do === 'wait') {
        const { wait } = plan;
        await patchStatus(context, metalCluster, key, ({ status }) => ({
          ready: status?.ready ?? false,
          conditions: [waitCondition(wait)],
        }));
        const event = waitEvent(found.status?.conditions, wait);
        if (event !== undefined) events.record(found, event);
        return {};
      }
      if (found.metadata.finalizers?.includes(FINALIZERS.metalCluster) !== true) {
        await setFinalizer(client, metalCluster, key, FINALIZERS.metalCluster, 'present');
      }
      await patchStatus(context, metalCluster, key, () => ({
        ready: true,
        initialization: { provisioned: true },
        conditions: [{ type: 'Ready', status: 'True' }],
      }));
      return {};
    },
  };
}
