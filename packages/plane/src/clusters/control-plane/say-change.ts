import { findObject, type ReconcileContext } from '@bloomery/kube';
import { keyOf, machine as machineKind, type TalosControlPlane } from '@bloomery/model';

/** An Event on the control plane, and a line of the log. */
export function say(
  { events, log }: ReconcileContext,
  { controlPlane }: { readonly controlPlane: TalosControlPlane },
  reason: string,
  message: string,
  type: 'Normal' | 'Warning' = 'Normal',
): void {
  events.record(controlPlane, { type, reason, message });
  log.info('controlplane.changed', { controlPlane: controlPlane.metadata.name, what: reason, message });
}

/** On the Machine too, where people look for it. */
export async function sayOfMachine(
  context: ReconcileContext,
  subject: { readonly controlPlane: TalosControlPlane },
  name: string,
  reason: string,
  message: string,
  type: 'Normal' | 'Warning' = 'Normal',
): Promise<void> {
  say(context, subject, reason, message, type);
  const found = await findObject(context.client, machineKind, { ...keyOf(subject.controlPlane), name });
  if (found !== undefined) context.events.record(found, { type, reason, message });
}
