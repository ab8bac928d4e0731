import type { Controller, ReconcileContext } from '@bloomery/kube';
import { findObject, patchObject, patchStatus, setFinalizer, watchSource } from '@bloomery/kube';
import type { Cluster } from '@bloomery/model';
import { cluster, FINALIZERS, keyOf, machine } from '@bloomery/model';
import { isPaused } from '../../allocation/paused.ts';
import type { Wait } from '../../allocation/wait.ts';
import { waitCondition, waitEvent, waitingFor } from '../../allocation/wait.ts';
import { claimPatch } from '../contract/claim.ts';
import type { ProviderObject } from '../contract/provider-object.ts';
import { type ProviderKinds, readProviderObject } from '../contract/provider-object.ts';
import { providerWakes } from '../contract/provider-wakes.ts';
import type { ClusterInput } from './plan.ts';
import { planClusterSpec, planClusterStatus } from './plan.ts';

/**
 * The controller of Cluster for embedded mode: claims the infrastructure and control plane objects, carries their
 * readiness and endpoint, and deletes in order. In cluster mode Cluster API's own runs instead.
 */
export function createClusterController(kinds: ProviderKinds): Controller<Cluster> {
  return {
    name: 'cluster',
    kind: cluster,
    watches: [
      watchSource(machine, ({ metadata, spec }) =>
        spec?.clusterName ? [{ name: spec.clusterName, namespace: metadata.namespace ?? 'default' }] : [],
      ),
    ],
    wakes: providerWakes(kinds, cluster, ({ spec }) => [spec?.infrastructureRef, spec?.controlPlaneRef]),
    writes: [
      'Cluster.metadata.finalizers',
      'Cluster.spec.controlPlaneEndpoint',
      'Cluster.status',
      'MetalCluster.metadata.ownerReferences',
      'MetalCluster.metadata.labels',
      'TalosControlPlane.metadata.ownerReferences',
      'TalosControlPlane.metadata.labels',
    ],
    async reconcile(key, context) {
      const found = await findObject(context.client, cluster, key);
      if (found === undefined || isPaused(found, found)) return {};
      const input = await readInput(found, context, kinds);
      if (found.metadata.deletionTimestamp !== undefined) await remove(input, context);
      else await provide(input, context);
      return {};
    },
  };
}

async function readInput(found: Cluster, { client }: ReconcileContext, kinds: ProviderKinds): Promise<ClusterInput> {
  const { namespace = 'default' } = found.metadata;
  const [infrastructure, controlPlane] = await Promise.all([
    readProviderObject({ ...kinds, client }, found.spec?.infrastructureRef, namespace),
    readProviderObject({ ...kinds, client }, found.spec?.controlPlaneRef, namespace),
  ]);
  return { cluster: found, infrastructure, controlPlane };
}

async function provide(input: ClusterInput, context: ReconcileContext): Promise<void> {
  const { cluster: found } = input;
  const { client, events } = context;
  const key = keyOf(found);
  if (found.metadata.finalizers?.includes(FINALIZERS.cluster) !== true) {
    await setFinalizer(client, cluster, key, FINALIZERS.cluster, 'present');
  }
  const claim = { owner: found, clusterName: found.metadata.name, asController: true };
  for (const part of [input.infrastructure, input.controlPlane]) {
    if (part?.kind === undefined || part.object === undefined || claimPatch(part.object, claim) === undefined) continue;
    await patchObject(client, part.kind, part.key, (object) => claimPatch(object, claim));
  }
  await patchObject(client, cluster, key, (current) => planClusterSpec({ ...input, cluster: current }));
  const { wait } = planClusterStatus(input);
  await patchStatus(context, cluster, key, (current) => planClusterStatus({ ...input, cluster: current }).status);
  const event = wait && waitEvent(found.status?.conditions, wait);
  if (event !== undefined) events.record(found, event);
}

/** Machines first, then the control plane, then the infrastructure; each has to be gone before the next. */
async function remove(
  { cluster: found, controlPlane, infrastructure }: ClusterInput,
  context: ReconcileContext,
): Promise<void> {
  const { client } = context;
  const { namespace = 'default', name } = found.metadata;
  const { items } = await client.list(machine, { namespace });
  const machines = items.filter(({ spec }) => spec?.clusterName === name);
  for (const { metadata } of machines) {
    if (metadata.deletionTimestamp === undefined) await client.delete(machine, keyOf({ ...found, metadata }));
  }
  if (machines.length > 0) return waitForGone(found, `${machines.length} Machines`, context);
  for (const part of [controlPlane, infrastructure]) {
    if (part?.object === undefined || part.kind === undefined || !isOwned(part, found)) continue;
    if (part.object.metadata.deletionTimestamp === undefined) await client.delete(part.kind, part.key);
    if ((await findObject(client, part.kind, part.key)) !== undefined) return waitForGone(found, part.text, context);
  }
  await setFinalizer(client, cluster, keyOf(found), FINALIZERS.cluster, 'absent');
}

async function waitForGone(found: Cluster, what: string, context: ReconcileContext): Promise<void> {
  const wait: Wait = {
    reason: 'WaitingForDependents',
    message: `waiting for ${what} to go`,
    event: 'dependents are going',
  };
  await patchStatus(context, cluster, keyOf(found), () => ({
    phase: 'Deleting',
    waitingFor: waitingFor(wait),
    conditions: [waitCondition(wait)],
  }));
  const event = waitEvent(found.status?.conditions, wait);
  if (event !== undefined) context.events.record(found, event);
}

function isOwned({ object }: ProviderObject, owner: Cluster): boolean {
  const { name } = owner.metadata;
  return object?.metadata.ownerReferences?.some((o) => o.kind === 'Cluster' && o.name === name) === true;
}
