import { ANNOTATIONS } from '@bloomery/model';
import { type Facts, isDeleting } from './facts.ts';
import { isHeld, planRemovals } from './removal.ts';
import type { Step } from './step.ts';

/**
 * The control plane is being deleted. With its Cluster, all machines go at once and etcd is not asked. Without, it is held until
 * the Cluster is deleted too or somebody confirms: the cluster would be lost (spec/cluster.md §10 item 12). Pure.
 *
 * @param scope `onlyWhatGoes`: begin nothing, only let go what is being deleted.
 */
export function planDeletion(facts: Facts, scope: 'all' | 'onlyWhatGoes' = 'all'): Step {
  const { machines, controlPlane } = facts.observation;
  if (isHeldBack(facts)) {
    const removal = planRemovals(facts);
    if (removal.action !== undefined) return removal;
    const name = controlPlane.metadata.name;
    const message =
      `TalosControlPlane ${name} is deleted and its Cluster is not: its ${machines.length} machines stay. ` +
      `Delete the Cluster, or confirm with annotation ${ANNOTATIONS.deleteControlPlane}: "true"`;
    return { wait: { reason: 'ControlPlaneHeld', message } };
  }
  const held = machines.find((m) => isDeleting(m.machine) && isHeld(m));
  if (held !== undefined) return { action: { do: 'releaseHook', machine: held.name, skipped: undefined } };
  if (scope === 'onlyWhatGoes') return {};
  const living = machines.find((m) => !isDeleting(m.machine));
  if (living !== undefined) {
    return { action: { do: 'deleteMachine', machine: living.name, why: 'its control plane is deleted' } };
  }
  if (machines.length === 0) return { action: { do: 'removeFinalizer' } };
  const names = machines.map(({ name }) => name).join(', ');
  return { wait: { reason: 'WaitingForDependents', message: `waiting for Machines ${names} to go` } };
}

function isHeldBack({ observation: { cluster, controlPlane } }: Facts): boolean {
  const annotations = controlPlane.metadata.annotations ?? {};
  if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return false;
  return annotations[ANNOTATIONS.deleteControlPlane] !== 'true' && annotations[ANNOTATIONS.deleteForMove] === undefined;
}
