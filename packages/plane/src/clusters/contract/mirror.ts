import type { ConditionDraft, EventDraft } from '@bloomery/kube';
import { isConditionTrue } from '@bloomery/kube';
import type { Condition } from '@bloomery/model';
import { type Wait, waitReasonOf } from '../../allocation/wait.ts';
import { type ProviderObject, providerStateText } from './provider-object.ts';

/** A condition of a Cluster or Machine that says how the object behind one of its references is. */
export interface Mirror {
  readonly type: string;
  /** The flag of the contract, or that it was up before. */
  readonly isReady: boolean;
  readonly source: ProviderObject | undefined;
  /** The reason while the object says none itself. */
  readonly reason: Wait['reason'];
}

/** The object's own condition Ready as ours, else whether its flag is up. */
export function mirrorCondition({ type, isReady, source, reason }: Mirror): ConditionDraft {
  const own = source?.view.waiting;
  if (own !== undefined) return { type, status: 'False', severity: 'Info', reason: own.reason, message: own.message };
  if (isReady && (source === undefined || source.object !== undefined)) return { type, status: 'True' };
  const severity = isReady ? 'Warning' : 'Info';
  return { type, status: 'False', severity, reason, message: providerStateText(source) };
}

/** What the object behind a reference is waited for, by its own words where it has some; undefined when it is ready. */
export function waitForSource({ isReady, source, reason }: Mirror): SourceWait | undefined {
  if (isReady && source?.object !== undefined && source.view.waiting === undefined) return undefined;
  if (isReady && source === undefined) return undefined;
  const own = source?.view.waiting;
  const message = providerStateText(source);
  return {
    wait: {
      reason: waitReasonOf(own?.reason) ?? reason,
      message,
      ...(own === undefined ? {} : { event: `${source?.text} waits` }),
    },
    short: source?.view.waitingFor,
  };
}

/** A wait, and the short word that the object waited for has for its own wait. */
export interface SourceWait {
  readonly wait: Wait;
  readonly short?: string | undefined;
}

/** Events for conditions of these types that have just become True. */
export function becameTrueEvents(
  before: readonly Condition[] | undefined,
  after: readonly Condition[] | undefined,
  types: readonly string[],
): readonly EventDraft[] {
  return types
    .filter((type) => isConditionTrue(after, type) && !isConditionTrue(before, type))
    .map((type) => ({ type: 'Normal', reason: type, message: `${type} is now True` }));
}
