import type { Controller, ReconcileContext, WatchSource } from '@bloomery/kube';
import { findObject, patchObject, patchStatus, setFinalizer, watchSource } from '@bloomery/kube';
import type { Cluster, KindRef, KubeObject, ObjectKey } from '@bloomery/model';
import { cluster, FINALIZERS, keyOf, LABELS, machine, machineDeployment, machineSet } from '@bloomery/model';
import { isPaused } from '../../allocation/paused.ts';
import { waitEvent } from '../../allocation/wait.ts';
import { claimPatch, isClaimedByAnother } from '../contract/claim.ts';
import { becameTrueEvents } from '../contract/mirror.ts';
import { type ProviderKinds, readProviderObject } from '../contract/provider-object.ts';
import { providerWakes } from '../contract/provider-wakes.ts';
import { sayingFailures } from '../contract/report-failure.ts';
import { sayPaused } from '../contract/say-paused.ts';
import type { ClusterInput } from './plan.ts';
import { CLUSTER_MILESTONES, planClusterSpec, planClusterStatus } from './plan.ts';
import { removeCluster } from './remove.ts';

/**
 * The controller of Cluster for embedded mode: claims the infrastructure and control plane objects, of any kind, carries
 * their readiness, endpoint and failure domains, and deletes in order. In cluster mode Cluster API's own runs instead.
 */
export function createClusterController(kinds: ProviderKinds): Controller<Cluster> {
  return {
    name: 'cluster',
    kind: cluster,
    watches: [descendants(machine), descendants(machineSet), descendants(machineDeployment)],
    wakes: providerWakes(kinds, cluster, ({ spec }) => [spec?.infrastructureRef, spec?.controlPlaneRef]),
    writes: [
      'Cluster.metadata.finalizers',
      'Cluster.spec.controlPlaneEndpoint',
      'Cluster.spec.infrastructureRef.apiVersion',
      'Cluster.spec.controlPlaneRef.apiVersion',
      'Cluster.status',
      '*.metadata.ownerReferences(Cluster)',
      '*.metadata.labels(cluster-name, of what Clusters refer to)',
    ],
    async reconcile(key, context) {
      const found = await findObject(context.client, cluster, key);
      if (found === undefined) return {};
      if (isPaused(found, found)) await sayPaused(context, cluster, found);
      else await sayingFailures(context, cluster, found, () => work(found, context, kinds));
      return {};
    },
  };
}

/**
 * What belongs to a Cluster concerns it while it is being deleted; Machines of the control plane also where no control plane
 * object says how they are.
 */
function descendants<T extends KubeObject & { readonly spec?: { readonly clusterName: string } }>(
  kind: KindRef<T>,
): WatchSource {
  return watchSource(kind, ({ metadata, spec }, cache): readonly ObjectKey[] => {
    const key = { name: spec?.clusterName ?? '', namespace: metadata.namespace ?? 'default' };
    const owner = cache.get(cluster, key);
    if (owner === undefined) return [];
    const isControlPlane = Object.hasOwn(metadata.labels ?? {}, LABELS.controlPlane);
    const isJudged = isControlPlane && !owner.spec?.controlPlaneRef?.name;
    return owner.metadata.deletionTimestamp !== undefined || isJudged ? [key] : [];
  });
}

async function work(found: Cluster, context: ReconcileContext, kinds: ProviderKinds): Promise<void> {
  const isAlive = found.metadata.deletionTimestamp === undefined;
  if (isAlive && found.metadata.finalizers?.includes(FINALIZERS.cluster) !== true) {
    await setFinalizer(context.client, cluster, keyOf(found), FINALIZERS.cluster, 'present');
  }
  const input = await readInput(found, context, kinds);
  if (!isAlive) await removeCluster(input, context);
  else await provide(input, context);
}

async function readInput(
  found: Cluster,
  { client, cache }: ReconcileContext,
  kinds: ProviderKinds,
): Promise<ClusterInput> {
  const { namespace = 'default', name } = found.metadata;
  const [infrastructure, controlPlane] = await Promise.all([
    readProviderObject({ ...kinds, client }, found.spec?.infrastructureRef, namespace),
    readProviderObject({ ...kinds, client }, found.spec?.controlPlaneRef, namespace),
  ]);
  const machines =
    controlPlane === undefined ? cache.list(machine, namespace).filter(({ spec }) => spec?.clusterName === name) : [];
  return { cluster: found, infrastructure, controlPlane, machines };
}

async function provide(input: ClusterInput, context: ReconcileContext): Promise<void> {
  const { client, events } = context;
  const { cluster: found } = input;
  const key = keyOf(found);
  const claim = { owner: found, clusterName: found.metadata.name, asController: true };
  for (const part of [input.infrastructure, input.controlPlane]) {
    if (part?.kind === undefined || part.object === undefined || isClaimedByAnother(part.object, found)) continue;
    if (claimPatch(part.object, claim) === undefined) continue;
    await patchObject(client, part.kind, part.key, (object) => claimPatch(object, claim));
  }
  if (planClusterSpec(input) !== undefined) {
    await patchObject(client, cluster, key, (current) => planClusterSpec({ ...input, cluster: current }));
  }
  const { wait } = planClusterStatus(input);
  const after = await patchStatus(
    context,
    cluster,
    key,
    (current) => planClusterStatus({ ...input, cluster: current }).status,
  );
  for (const event of becameTrueEvents(found.status?.conditions, after.status?.conditions, CLUSTER_MILESTONES)) {
    events.record(found, event);
  }
  const { phase, failureMessage } = after.status ?? {};
  if (phase === 'Failed' && found.status?.phase !== 'Failed') {
    events.record(found, { type: 'Warning', reason: 'Failed', message: failureMessage ?? 'the Cluster has failed' });
  }
  const event = wait && waitEvent(found.status?.conditions, wait);
  if (event !== undefined) events.record(found, event);
}

/** Only that it is paused is said; everything else stays as it is. */
