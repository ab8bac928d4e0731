import { findObject, patchObject, type ReconcileContext } from '@bloomery/kube';
import {
  ANNOTATIONS,
  cluster as clusterKind,
  keyOf,
  LABELS,
  type Machine,
  machine as machineKind,
  type ObjectKey,
} from '@bloomery/model';
import { isPaused } from '../../allocation/paused.ts';
import { controllingControlPlane } from './restore-labels.ts';

/**
 * Let Machines go that are being deleted while their control plane is gone: somebody took its finalizer away, and nobody else
 * would ever release them. Their etcd went with it. What is paused, or moved elsewhere, is left alone.
 *
 * @param controlPlane the key of the one that is gone
 */
export async function releaseOrphans(context: ReconcileContext, controlPlane: ObjectKey): Promise<void> {
  const { client, events } = context;
  const { namespace = 'default' } = controlPlane;
  const { items } = await client.list(machineKind, { namespace, labels: LABELS.controlPlane });
  for (const machine of items) {
    if (!isHeldOrphan(machine, controlPlane)) continue;
    const cluster = await findObject(client, clusterKind, { name: machine.spec?.clusterName ?? '', namespace });
    if (isPaused(machine, cluster)) continue;
    await patchObject(client, machineKind, keyOf(machine), (current) =>
      isHeldOrphan(current, controlPlane)
        ? { metadata: { annotations: { [ANNOTATIONS.preTerminateHook]: null } } }
        : undefined,
    );
    events.record(machine, {
      type: 'Warning',
      reason: 'EtcdLeaveSkipped',
      message: `Machine ${machine.metadata.name} is deleted without having left etcd: its control plane is gone.`,
    });
  }
}

/** The control plane that a Machine which is being deleted waits for, if it has one. */
export function awaitedControlPlane(machine: Machine): ObjectKey | undefined {
  const { annotations, deletionTimestamp } = machine.metadata;
  if (deletionTimestamp === undefined || annotations?.[ANNOTATIONS.preTerminateHook] === undefined) return undefined;
  return controllingControlPlane(machine);
}

function isHeldOrphan(machine: Machine, controlPlane: ObjectKey): boolean {
  return awaitedControlPlane(machine)?.name === controlPlane.name;
}
