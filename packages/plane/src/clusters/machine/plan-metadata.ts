import type { JsonObject, Machine } from '@bloomery/model';
import { LABELS } from '@bloomery/model';
import { controllerOf, ownerReference } from '../contract/owner-reference.ts';
import type { MachineInput } from './plan.ts';

/** Labels that say who makes Machines of this kind: that one adopts them, after a restore too. */
const MAKERS = [LABELS.machineSet, 'cluster.x-k8s.io/control-plane-name'];

/** The label of its cluster for every Machine, and the Cluster as owner of a stand-alone one; undefined: nothing to do. */
export function planMachineMetadata({ machine, cluster }: MachineInput): JsonObject | undefined {
  const { labels = {}, ownerReferences = [] } = machine.metadata;
  const clusterName = machine.spec?.clusterName ?? '';
  const isLabelled = labels[LABELS.clusterName] === clusterName;
  const owner = cluster !== undefined && isStandAlone(machine) ? ownerReference(cluster) : undefined;
  const others = ownerReferences.filter(({ kind, name }) => kind !== 'Cluster' || name !== owner?.name);
  const isOwned = ownerReferences.some(({ uid, kind }) => kind === 'Cluster' && uid === owner?.uid);
  if (isLabelled && (owner === undefined || isOwned)) return undefined;
  return {
    metadata: {
      ...(isLabelled ? {} : { labels: { [LABELS.clusterName]: clusterName } }),
      ...(owner === undefined || isOwned ? {} : { ownerReferences: [...others, owner].map((o) => ({ ...o })) }),
    },
  };
}

function isStandAlone({ metadata }: Machine): boolean {
  const { labels = {} } = metadata;
  return controllerOf({ metadata }) === undefined && !MAKERS.some((m) => Object.hasOwn(labels, m));
}
