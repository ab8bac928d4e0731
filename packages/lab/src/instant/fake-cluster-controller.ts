import type { Controller } from '@bloomery/kube';
import { findObject, patchObject, patchStatus, setFinalizer, watchSource } from '@bloomery/kube';
import { cluster, keyOf, LABELS, type ObjectKey } from '@bloomery/model';
import { type Contract, type FakeCluster, fakeCluster, fakeMachine } from './fake-kinds.ts';
import { ANNOTATION_FAULT, FINALIZER, isHeld } from './fault-annotation.ts';
import type { InstantWorld } from './instant-world.ts';

const KUBERNETES_PORT = 6_443;

/** Gives every FakeCluster an endpoint once a Cluster owns it. */
export function createFakeClusterController(world: InstantWorld, contract: Contract): Controller<FakeCluster> {
  return {
    name: 'fake-cluster',
    kind: fakeCluster,
    watches: [
      watchSource(cluster, ({ metadata }, cache) =>
        cache.list(fakeCluster, metadata.namespace).filter(ownedBy(metadata.name)).map(keyOf),
      ),
      watchSource(fakeMachine, ({ metadata }, cache) =>
        cache
          .list(fakeCluster, metadata.namespace)
          .filter(ownedBy(metadata.labels?.[LABELS.clusterName] ?? ''))
          .map(keyOf),
      ),
    ],
    writes: ['FakeCluster.status', 'FakeCluster.spec', 'FakeCluster.metadata.finalizers'],
    async reconcile(key, context) {
      const { client, cache } = context;
      const found = await findObject(client, fakeCluster, key);
      const name = found?.metadata.ownerReferences?.find(({ kind }) => kind === 'Cluster')?.name;
      if (found === undefined || name === undefined) return {};
      const clusterKey: ObjectKey = { ...key, name };
      if (isHeld(found, cache.get(cluster, clusterKey))) return {};
      if (found.metadata.deletionTimestamp !== undefined) {
        const machines = cache.list(fakeMachine, key.namespace);
        if (machines.some(({ metadata }) => metadata.labels?.[LABELS.clusterName] === name)) return {};
        await world.close(clusterKey);
        const host = found.spec?.controlPlaneEndpoint?.host;
        if (host !== undefined) world.addresses.release(host);
        await setFinalizer(client, fakeCluster, key, FINALIZER, 'absent');
        return {};
      }
      await setFinalizer(client, fakeCluster, key, FINALIZER, 'present');
      let host = found.spec?.controlPlaneEndpoint?.host;
      const port = found.spec?.controlPlaneEndpoint?.port || KUBERNETES_PORT;
      if (host === undefined || host === '') {
        host = await world.addresses.take(port);
        const controlPlaneEndpoint = { host, port };
        await patchObject(client, fakeCluster, key, () => ({ spec: { controlPlaneEndpoint } }));
      }
      world.addresses.note(host);
      const simulated = world.open(clusterKey, { host, port });
      await simulated.setApi(found.metadata.annotations?.[ANNOTATION_FAULT] === 'api' ? 'down' : 'up');
      await patchStatus(context, fakeCluster, key, () =>
        contract === 'v1beta1' ? { ready: true } : { initialization: { provisioned: true } },
      );
      return {};
    },
  };
}

const ownedBy =
  (cluster: string) =>
  ({ metadata }: FakeCluster): boolean =>
    metadata.ownerReferences?.some(({ kind, name }) => kind === 'Cluster' && name === cluster) === true;
