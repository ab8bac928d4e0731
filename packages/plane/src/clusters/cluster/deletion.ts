import type { KubeObject, Machine, MachineDeployment, MachineSet } from '@bloomery/model';
import { LABELS } from '@bloomery/model';
import { isClaimedByAnother } from '../contract/claim.ts';
import type { ProviderObject } from '../contract/provider-object.ts';
import type { ClusterInput } from './plan.ts';

/** What belongs to a cluster that is being deleted. */
export interface ClusterRemains extends ClusterInput {
  readonly machineDeployments: readonly MachineDeployment[];
  readonly machineSets: readonly MachineSet[];
}

/** The next step of a Cluster's deletion: what to delete now, and what is waited for. */
export interface ClusterDeletionStep {
  /** Workers first, then the control plane, then the infrastructure. */
  readonly stage: 'workers' | 'controlPlane' | 'infrastructure' | 'done';
  readonly machineDeployments: readonly MachineDeployment[];
  readonly machineSets: readonly MachineSet[];
  readonly machines: readonly Machine[];
  readonly provider: ProviderObject | undefined;
  /** What is waited for, by kind and number, for people. */
  readonly awaited: string;
}

const NOTHING = { machineDeployments: [], machineSets: [], machines: [], provider: undefined, awaited: '' };

/**
 * Decide what goes next (spec/cluster.md §8): every worker, then the control plane object and its Machines, then the
 * infrastructure, each gone before the next; then the Cluster itself. Objects of another Cluster stay. Pure.
 */
export function planClusterDeletion(remains: ClusterRemains): ClusterDeletionStep {
  const { cluster, machineDeployments, machineSets, machines, controlPlane, infrastructure } = remains;
  const controlPlaneMachines = machines.filter(({ metadata }) =>
    Object.hasOwn(metadata.labels ?? {}, LABELS.controlPlane),
  );
  const workers = machines.filter((machine) => !controlPlaneMachines.includes(machine));
  const workerText = countText({ MachineDeployment: machineDeployments, MachineSet: machineSets, Machine: workers });
  if (workerText !== '') {
    return {
      ...NOTHING,
      stage: 'workers',
      machineDeployments: machineDeployments.filter(isAlive),
      machineSets: machineSets.filter(isAlive),
      machines: workers.filter(isAlive),
      awaited: workerText,
    };
  }
  if (controlPlane?.object !== undefined && !isClaimedByAnother(controlPlane.object, cluster)) {
    const more = countText({ Machine: controlPlaneMachines });
    const awaited = more === '' ? controlPlane.text : `${controlPlane.text} with ${more}`;
    return { ...NOTHING, stage: 'controlPlane', provider: controlPlane, awaited };
  }
  if (controlPlaneMachines.length > 0) {
    const awaited = countText({ 'control plane Machine': controlPlaneMachines });
    return { ...NOTHING, stage: 'controlPlane', machines: controlPlaneMachines.filter(isAlive), awaited };
  }
  if (infrastructure?.object !== undefined && !isClaimedByAnother(infrastructure.object, cluster)) {
    return { ...NOTHING, stage: 'infrastructure', provider: infrastructure, awaited: infrastructure.text };
  }
  return { ...NOTHING, stage: 'done' };
}

function isAlive({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp === undefined;
}

function countText(groups: Readonly<Record<string, readonly KubeObject[]>>): string {
  const parts = Object.entries(groups).flatMap(([kind, objects]) => {
    const [first] = objects;
    if (first === undefined) return [];
    return objects.length === 1 ? [`${kind} ${first.metadata.name}`] : [`${objects.length} ${kind}s`];
  });
  return parts.join(', ');
}
