import {
  type Controller,
  findObject,
  patchObject,
  patchStatus,
  type ReconcileContext,
  setFinalizer,
  watchSource,
} from '@bloomery/kube';
import { cluster, keyOf, LABELS, type Machine, machine, type ObjectKey, secret } from '@bloomery/model';
import { TALOS_API_PORT } from '@bloomery/talos';
import { type Contract, type FakeMachineObject, fakeCluster, fakeMachine } from './fake-kinds.ts';
import { ANNOTATION_FAULT, FINALIZER, isHeld } from './fault-annotation.ts';
import type { InstantCluster } from './instant-cluster.ts';
import type { InstantWorld } from './instant-world.ts';

export interface FakeMachineControllerOptions {
  readonly world: InstantWorld;
  readonly contract: Contract;
  /** Before a machine is provisioned. */
  readonly stepDelayMs: number;
}

/** Boots a simulated machine for every FakeMachine whose Machine has bootstrap data. */
export function createFakeMachineController(options: FakeMachineControllerOptions): Controller<FakeMachineObject> {
  const { world } = options;
  return {
    name: 'fake-machine',
    kind: fakeMachine,
    concurrency: 16,
    watches: [
      watchSource(machine, ({ metadata, spec }) =>
        spec?.infrastructureRef?.kind === fakeMachine.kind
          ? [{ namespace: metadata.namespace ?? 'default', name: spec.infrastructureRef.name ?? '' }]
          : [],
      ),
      watchSource(fakeCluster, ({ metadata }, cache) => {
        const owner = metadata.ownerReferences?.find(({ kind }) => kind === 'Cluster')?.name;
        return cache
          .list(fakeMachine, metadata.namespace)
          .filter((one) => one.metadata.labels?.[LABELS.clusterName] === owner)
          .map(keyOf);
      }),
    ],
    writes: ['FakeMachine.status', 'FakeMachine.spec', 'FakeMachine.metadata.finalizers'],
    async reconcile(key, context) {
      const { client, cache } = context;
      const found = await findObject(client, fakeMachine, key);
      if (found === undefined) return {};
      const clusterKey: ObjectKey = { ...key, name: found.metadata.labels?.[LABELS.clusterName] ?? '' };
      const simulated = world.cluster(clusterKey);
      if (isHeld(found, cache.get(cluster, clusterKey))) return {};
      if (found.metadata.deletionTimestamp !== undefined) {
        await simulated?.remove(key.name);
        const address = addressOf(found);
        if (address !== undefined) world.addresses.release(address);
        await setFinalizer(client, fakeMachine, key, FINALIZER, 'absent');
        return {};
      }
      await setFinalizer(client, fakeMachine, key, FINALIZER, 'present');
      if (simulated === undefined) return {};
      const isNew = !simulated.machines.has(key.name);
      if (isNew && !(await boot(found, simulated, { ...options, key, context }))) return {};
      await report(found, simulated, { ...options, key, context });
      await applyFault(found, simulated);
      return {};
    },
  };
}

interface Boot extends FakeMachineControllerOptions {
  readonly key: ObjectKey;
  readonly context: ReconcileContext;
}

/** False: there is nothing to boot with yet. */
async function boot(
  found: FakeMachineObject,
  simulated: InstantCluster,
  { key, context, world, stepDelayMs }: Boot,
): Promise<boolean> {
  const config = await bootstrapData(found, key, context);
  if (config === undefined) return false;
  await context.clock.sleep(stepDelayMs, context.signal);
  const address = addressOf(found) ?? (await world.addresses.take(TALOS_API_PORT));
  world.addresses.note(address);
  await simulated.boot({ name: key.name, address, providerId: `fake://${key.name}`, config });
  return true;
}

/** What is so, whoever has booted the machine: an object that was moved here came without a status. */
async function report(
  { spec, status }: FakeMachineObject,
  simulated: InstantCluster,
  { key, context, contract }: Boot,
): Promise<void> {
  const machine = simulated.machines.get(key.name);
  if (machine === undefined) return;
  const { address, providerId } = machine;
  if (spec?.providerID !== providerId) {
    await patchObject(context.client, fakeMachine, key, () => ({ spec: { providerID: providerId } }));
  }
  if (status?.ready === true || status?.initialization?.provisioned === true) return;
  await patchStatus(context, fakeMachine, key, () => ({
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: key.name },
    ],
    ...(contract === 'v1beta1' ? { ready: true } : { initialization: { provisioned: true } }),
  }));
}

async function bootstrapData(
  { metadata }: FakeMachineObject,
  key: ObjectKey,
  { client, cache }: ReconcileContext,
): Promise<string | undefined> {
  const owner = metadata.ownerReferences?.find(({ kind }) => kind === 'Machine')?.name;
  const found: Machine | undefined = owner === undefined ? undefined : cache.get(machine, { ...key, name: owner });
  const name = found?.spec?.bootstrap?.dataSecretName;
  if (name === undefined) return undefined;
  const data = await findObject(client, secret, { ...key, name });
  const value = data?.data?.['value'];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString();
}

async function applyFault({ metadata }: FakeMachineObject, simulated: InstantCluster): Promise<void> {
  const fault = metadata.annotations?.[ANNOTATION_FAULT];
  await simulated.setPower(metadata.name, fault === 'dead' ? 'off' : 'on');
  simulated.setEtcd(metadata.name, fault === 'etcd' ? 'stopped' : 'running');
}

const addressOf = ({ status }: FakeMachineObject): string | undefined =>
  status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
