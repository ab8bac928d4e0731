import type { Controller, ReconcileContext } from '@bloomery/kube';
import { findObject, patchObject, patchStatus, setFinalizer, watchSource } from '@bloomery/kube';
import type { KubeObject, Machine } from '@bloomery/model';
import { cluster, FINALIZERS, keyOf, machine } from '@bloomery/model';
import { isPaused } from '../../allocation/paused.ts';
import type { Wait } from '../../allocation/wait.ts';
import { waitCondition, waitEvent, waitingFor } from '../../allocation/wait.ts';
import { claimPatch } from '../contract/claim.ts';
import { type ProviderKinds, readProviderObject } from '../contract/provider-object.ts';
import { providerWakes } from '../contract/provider-wakes.ts';
import type { MachineInput } from './plan.ts';
import { planMachineSpec, planMachineStatus } from './plan.ts';

/**
 * The controller of Machine for embedded mode: claims the bootstrap and infrastructure objects, carries the secret's name,
 * provider id and addresses over, and deletes in order. In cluster mode Cluster API's own runs instead.
 */
export function createMachineController(kinds: ProviderKinds): Controller<Machine> {
  return {
    name: 'machine',
    kind: machine,
    watches: [
      watchSource(cluster, ({ metadata }, cache) =>
        cache
          .list(machine, metadata.namespace)
          .filter(({ spec }) => spec?.clusterName === metadata.name)
          .map(keyOf),
      ),
    ],
    wakes: providerWakes(kinds, machine, ({ spec }) => [spec?.infrastructureRef, spec?.bootstrap.configRef]),
    writes: [
      'Machine.metadata',
      'Machine.spec',
      'Machine.status',
      'MetalMachine.metadata.ownerReferences',
      'MetalMachine.metadata.labels',
      'TalosConfig.metadata.ownerReferences',
      'TalosConfig.metadata.labels',
    ],
    async reconcile(key, context) {
      const found = await findObject(context.client, machine, key);
      if (found === undefined) return {};
      const input = await readInput(found, context, kinds);
      if (isPaused(found, input.cluster)) return {};
      if (found.metadata.deletionTimestamp !== undefined) await remove(input, context);
      else await provide(input, context);
      return {};
    },
  };
}

async function readInput(
  found: Machine,
  { client, cache }: ReconcileContext,
  kinds: ProviderKinds,
): Promise<MachineInput> {
  const { namespace = 'default' } = found.metadata;
  const [bootstrap, infrastructure] = await Promise.all([
    readProviderObject({ ...kinds, client }, found.spec?.bootstrap.configRef, namespace),
    readProviderObject({ ...kinds, client }, found.spec?.infrastructureRef, namespace),
  ]);
  const owner = cache.get(cluster, { name: found.spec?.clusterName ?? '', namespace });
  return { machine: found, cluster: owner, bootstrap, infrastructure };
}

async function provide(input: MachineInput, context: ReconcileContext): Promise<void> {
  const { client, events } = context;
  const { machine: found, cluster: owner } = input;
  const key = keyOf(found);
  const clusterName = found.spec?.clusterName ?? '';
  if (found.metadata.finalizers?.includes(FINALIZERS.machine) !== true) {
    await setFinalizer(client, machine, key, FINALIZERS.machine, 'present');
  }
  if (owner !== undefined) {
    await patchObject(client, machine, key, (m) => claimPatch(m, { owner, clusterName, asController: false }));
  }
  const claim = { owner: found, clusterName, asController: true };
  for (const part of [input.bootstrap, input.infrastructure]) {
    if (part?.kind === undefined || part.object === undefined || claimPatch(part.object, claim) === undefined) continue;
    await patchObject(client, part.kind, part.key, (object) => claimPatch(object, claim));
  }
  await patchObject(client, machine, key, (current) => planMachineSpec({ ...input, machine: current }));
  const { wait } = planMachineStatus(input);
  await patchStatus(context, machine, key, (current) => planMachineStatus({ ...input, machine: current }).status);
  const event = wait && waitEvent(found.status?.conditions, wait);
  if (event !== undefined) events.record(found, event);
}

/** The infrastructure first, then the bootstrap config; each has to be gone before the next. What another Machine owns stays. */
async function remove(
  { machine: found, infrastructure, bootstrap }: MachineInput,
  context: ReconcileContext,
): Promise<void> {
  const { client } = context;
  const key = keyOf(found);
  for (const part of [infrastructure, bootstrap]) {
    if (part?.object === undefined || part.kind === undefined || isOfAnother(part.object, found)) continue;
    if (part.object.metadata.deletionTimestamp === undefined) await client.delete(part.kind, part.key);
    if ((await findObject(client, part.kind, part.key)) === undefined) continue;
    const wait: Wait = { reason: 'WaitingForDependents', message: `waiting for ${part.text} to go` };
    await patchStatus(context, machine, key, () => ({
      phase: 'Deleting',
      waitingFor: waitingFor(wait),
      conditions: [waitCondition(wait)],
    }));
    const event = waitEvent(found.status?.conditions, wait);
    if (event !== undefined) context.events.record(found, event);
    return;
  }
  await setFinalizer(client, machine, key, FINALIZERS.machine, 'absent');
}

/** Two Machines may name one object by mistake: only its owner takes it with it, as a machine may live on it. */
function isOfAnother({ metadata }: KubeObject, { metadata: { name } }: Machine): boolean {
  const owners = (metadata.ownerReferences ?? []).filter(({ kind }) => kind === 'Machine');
  return owners.length > 0 && owners.every((owner) => owner.name !== name);
}
