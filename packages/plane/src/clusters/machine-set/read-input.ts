import type { ObjectCache, ReconcileContext } from '@bloomery/kube';

import type { Cluster, Machine, MachineDeployment, MachineSet } from '@bloomery/model';
import { ANNOTATIONS, machine, machineDeployment, scaledValue } from '@bloomery/model';
import type { Wait } from '../../allocation/wait.ts';
import { type ClusterIndex, clusterKeyOf } from '../contract/cluster-index.ts';
import { controllerOf } from '../contract/owner-reference.ts';
import { type ProviderKinds, readProviderObject } from '../contract/provider-object.ts';
import type { MachineSetInput } from './plan.ts';
import { preflightWait } from './preflight.ts';

/** Every Machine of the set's Cluster, by the API and not by the cache. */
export async function freshMachines(client: ReconcileContext['client'], set: MachineSet): Promise<readonly Machine[]> {
  const { name, namespace = 'default' } = clusterKeyOf(set);
  return (await client.list(machine, { namespace, fields: `spec.clusterName=${name}` })).items;
}

/** What a MachineSet's next step depends on, as the cache has it. */
export async function readMachineSetInput(
  set: MachineSet,
  cluster: Cluster | undefined,
  {
    context,
    kinds,
    machines,
  }: {
    readonly context: ReconcileContext;
    readonly kinds: ProviderKinds;
    readonly machines: ClusterIndex<Machine>;
  },
): Promise<MachineSetInput> {
  return {
    machineSet: set,
    machines: machines.of(context.cache, clusterKeyOf(set)),
    preflight: await readPreflight(set, cluster, context, kinds),
    deployment: deploymentOf(set, context.cache),
  };
}

async function readPreflight(
  set: MachineSet,
  cluster: Cluster | undefined,
  { client }: ReconcileContext,
  kinds: ProviderKinds,
): Promise<Wait | undefined> {
  const key = clusterKeyOf(set);
  if (cluster === undefined) {
    return { reason: 'WaitingForCluster', message: `Cluster ${key.namespace}/${key.name} does not exist; create it` };
  }
  const ref = cluster.spec?.controlPlaneRef;
  const found = await readProviderObject({ ...kinds, client }, ref, key.namespace ?? 'default');
  return preflightWait(set, found);
}

function deploymentOf(set: MachineSet, cache: ObjectCache): MachineSetInput['deployment'] {
  const owner = controllerOf(set);
  if (owner?.kind !== machineDeployment.kind) return undefined;
  const found = cache.get(machineDeployment, { name: owner.name, namespace: set.metadata.namespace ?? 'default' });
  if (found === undefined) return { isCurrent: false, maxInFlight: undefined };
  const revision = (object: MachineDeployment | MachineSet) => object.metadata.annotations?.[ANNOTATIONS.revision];
  const { strategy, replicas = 1 } = found.spec ?? {};
  const most = strategy?.remediation?.maxInFlight;
  return {
    isCurrent: revision(found) === revision(set),
    maxInFlight: most === undefined ? undefined : scaledValue(most, replicas, 'up'),
  };
}
