import {
  type ConditionChange,
  mergeConditions,
  patchStatus,
  type ReconcileContext,
  type StatusPatch,
} from '@bloomery/kube';
import { type ObjectKey, type TalosConfig, talosConfig, type WaitReason } from '@bloomery/model';

/** A condition in both forms: v1beta1's reason, and v1alpha3's with severity. */
export interface ConditionReport {
  readonly type: 'DataSecretAvailable' | 'ClientConfigAvailable' | 'ClientConfigExpiring' | 'ConfigValid';
  readonly status: 'True' | 'False';
  /** Of v1beta1: `Available`, `NotAvailable` or `InternalError`, as upstream. */
  readonly reason: string;
  /** The reason of `Ready`, out of the closed list of waits; `reason` unless given. */
  readonly ready?: WaitReason;
  readonly message: string;
  /** Of v1alpha3, absent for True. */
  readonly old?: { readonly reason: string; readonly severity: 'Info' | 'Warning' | 'Error' };
}

/** What is to be written into status. */
export interface StatusReport {
  readonly dataSecretName?: string;
  readonly conditions: readonly ConditionReport[];
  /** Types of conditions that do not hold any more. */
  readonly without?: readonly string[];
  /** Short text; null when nothing is waited for. */
  readonly waitingFor: string | null;
  /** False after an error: the generation was not dealt with. */
  readonly observed: boolean;
}

/** Write the status of a TalosConfig: Ready sums up DataSecretAvailable. Nothing is written when nothing differs. */
export async function reportTalosConfig(
  context: Pick<ReconcileContext, 'client' | 'clock'>,
  key: ObjectKey,
  report: StatusReport,
): Promise<void> {
  await patchStatus(context, talosConfig, key, (object) => statusPatch(object, report, context.clock.nowMs()));
}

function statusPatch({ metadata, status }: TalosConfig, report: StatusReport, nowMs: number): StatusPatch {
  const summed = report.conditions.flatMap((c) =>
    c.type === 'DataSecretAvailable' ? [c, { ...c, type: 'Ready' as const, reason: c.ready ?? c.reason }] : [c],
  );
  const removed = (report.without ?? []).map((type): ConditionChange => ({ type, status: null }));
  const legacy = status?.deprecated?.v1beta?.conditions ?? [];
  const changes = summed.map(
    ({ type, status: value, message, old: form }): ConditionChange => ({
      type,
      status: value,
      ...(form === undefined ? {} : { ...form, message }),
    }),
  );
  const old = mergeConditions(legacy, [...changes, ...removed], nowMs);
  const { generation } = metadata;
  return {
    waitingFor: report.waitingFor,
    conditions: [
      ...summed.map(({ type, status: value, reason, message }) => ({ type, status: value, reason, message })),
      ...removed,
    ],
    deprecated: { v1beta: { conditions: old } },
    ...(report.dataSecretName === undefined
      ? {}
      : { dataSecretName: report.dataSecretName, initialization: { dataSecretCreated: true } }),
    ...(report.observed && generation !== undefined ? { observedGeneration: generation } : {}),
  };
}
