import { findObject, patchObject, type ReconcileContext } from '@bloomery/kube';
import {
  ANNOTATIONS,
  type JsonObject,
  keyOf,
  type Machine,
  machine as machineKind,
  type TalosControlPlane,
} from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import { controllerOf, controllerReference } from '../contract/owner-reference.ts';
import type { ControlPlaneAction } from './action.ts';
import { say, sayOfMachine } from './say-change.ts';
import { timeOf } from './status.ts';

/** The changes of a Machine object. */
export type MachineAction = Extract<
  ControlPlaneAction,
  { do: 'markLeaving' | 'deleteMachine' | 'releaseHook' | 'settleMachine' }
>;

/** Make one change of a Machine. One that is gone already counts as changed, but where it is to be settled. */
export async function actOnMachine(
  context: ReconcileContext,
  subject: { readonly controlPlane: TalosControlPlane },
  action: MachineAction,
): Promise<void> {
  const { client, clock } = context;
  const { machine: name } = action;
  const key = { ...keyOf(subject.controlPlane), name };
  switch (action.do) {
    case 'markLeaving': {
      const at = timeOf(clock.nowMs());
      await annotate(context, key, ({ metadata }) =>
        metadata.annotations?.[ANNOTATIONS.leaving] === undefined ? { [ANNOTATIONS.leaving]: at } : undefined,
      );
      return await sayOfMachine(
        context,
        subject,
        name,
        'RemovingMachine',
        `Machine ${name} leaves the control plane: ${action.why}.`,
      );
    }
    case 'deleteMachine': {
      const found = await findObject(client, machineKind, key);
      if (found === undefined || found.metadata.deletionTimestamp !== undefined) return;
      const { uid } = found.metadata;
      await client.delete(machineKind, key, uid === undefined ? {} : { uid });
      return say(context, subject, 'MachineDeleted', `Machine ${name} is deleted: ${action.why}.`);
    }
    case 'releaseHook':
      await annotate(context, key, ({ metadata }) =>
        metadata.annotations?.[ANNOTATIONS.preTerminateHook] === undefined
          ? undefined
          : { [ANNOTATIONS.preTerminateHook]: null },
      );
      if (action.skipped === undefined) return;
      return await sayOfMachine(
        context,
        subject,
        name,
        'EtcdLeaveSkipped',
        `Machine ${name} is deleted without having left etcd: ${action.skipped}.`,
        'Warning',
      );
    case 'settleMachine':
      await patchObject(client, machineKind, key, ({ metadata }) => {
        const owners = metadata.ownerReferences ?? [];
        const owner = controllerReference(subject.controlPlane);
        const isOrphan = controllerOf({ metadata }) === undefined;
        return {
          metadata: {
            annotations: action.annotations,
            ...(isOrphan ? { ownerReferences: [...owners, owner].map((o) => ({ ...o })) } : {}),
          },
        };
      });
  }
}

async function annotate(
  { client }: ReconcileContext,
  key: { readonly name: string; readonly namespace?: string },
  change: (machine: Machine) => JsonObject | undefined,
): Promise<void> {
  try {
    await patchObject(client, machineKind, key, (machine) => {
      const annotations = change(machine);
      return annotations === undefined ? undefined : { metadata: { annotations } };
    });
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
  }
}
