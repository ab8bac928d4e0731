import { mergeConditions, patchStatus, type ReconcileContext, type StatusPatch } from '@bloomery/kube';
import { type ObjectKey, type TalosConfig, talosConfig } from '@bloomery/model';

/** A condition in both forms: v1beta1's reason, and v1alpha3's with severity. */
export interface ConditionReport {
  readonly type: 'DataSecretAvailable' | 'ClientConfigAvailable';
  readonly status: 'True' | 'False';
  /** Of v1beta1. */
  readonly reason: 'Available' | 'NotAvailable' | 'InternalError';
  readonly message: string;
  /** Of v1alpha3, absent for True. */
  readonly old?: { readonly reason: string; readonly severity: 'Info' | 'Error' };
}

/** What is to be written into status. */
export interface StatusReport {
  readonly dataSecretName?: string;
  readonly conditions: readonly ConditionReport[];
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
    c.type === 'DataSecretAvailable' ? [c, { ...c, type: 'Ready' as const }] : [c],
  );
  const legacy = status?.deprecated?.v1beta?.conditions ?? [];
  const old = mergeConditions(
    legacy,
    summed.map(({ type, status: value, message, old: form }) => ({
      type,
      status: value,
      ...(form === undefined ? {} : { ...form, message }),
    })),
    nowMs,
  );
  const { generation } = metadata;
  return {
    conditions: summed.map(({ type, status: value, reason, message }) => ({ type, status: value, reason, message })),
    deprecated: { v1beta: { conditions: old } },
    ...(report.dataSecretName === undefined
      ? {}
      : { dataSecretName: report.dataSecretName, initialization: { dataSecretCreated: true } }),
    ...(report.observed && generation !== undefined ? { observedGeneration: generation } : {}),
  };
}
