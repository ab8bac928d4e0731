import { isJsonObject, isWaitReason, type Json, type JsonObject, WAIT_REASONS } from '@bloomery/model';
import type { TreeObject } from './cluster-objects.ts';

/** One condition as the tree shows it. */
export interface StatedCondition {
  readonly type: string;
  readonly status: string;
  readonly severity: string;
  readonly reason: string;
  readonly message: string;
  /** RFC 3339; '' when it is not known. */
  readonly since: string;
}

/** Whether an object is where it should be. `ready` is '' for kinds that do not say. */
export interface ObjectState extends Omit<StatedCondition, 'type' | 'status'> {
  readonly ready: 'True' | 'False' | 'Unknown' | '';
}

const NOTHING: ObjectState = { ready: '', severity: '', reason: '', message: '', since: '' };
/** Conditions that sum up the others, the best one first. */
const SUMMARIES = ['Ready', 'Available', 'RemediationAllowed'];

/** The state of an object by its summary condition; without one, by the fields that its contract has. Pure. */
export function stateOf({ status = {}, metadata }: TreeObject): ObjectState {
  const conditions = conditionsOf({ status });
  const summary = SUMMARIES.map((type) => conditions.find((c) => c.type === type)).find((c) => c !== undefined);
  const waitingFor = textOf(status['waitingFor']);
  const base = summary === undefined ? byFields(status) : ofCondition(summary);
  if (metadata.deletionTimestamp !== undefined && base.ready !== 'False') {
    return { ...NOTHING, ready: 'False', severity: 'Info', reason: 'Deleting', since: metadata.deletionTimestamp };
  }
  if (base.ready === 'False' || waitingFor === '') return base;
  return {
    ...base,
    ready: base.ready === '' ? 'False' : base.ready,
    severity: 'Info',
    reason: 'Waiting',
    message: waitingFor,
  };
}

/** All conditions of an object, as written; of kinds with metav1 conditions the severity is that of the reason. Pure. */
export function conditionsOf({ status = {} }: Pick<TreeObject, 'status'>): readonly StatedCondition[] {
  const list = status['conditions'];
  return (Array.isArray(list) ? list : []).filter(isJsonObject).map((condition) => {
    const { type, status: state, severity, reason, message, lastTransitionTime } = condition;
    return {
      type: textOf(type),
      status: textOf(state),
      severity: severity === undefined ? severityOf(textOf(state), textOf(reason)) : textOf(severity),
      reason: textOf(reason),
      message: textOf(message)
        .split('\n')
        .map((line) => line.trim())
        .join(' '),
      since: textOf(lastTransitionTime),
    };
  });
}

function ofCondition({ status, type: _type, ...rest }: StatedCondition): ObjectState {
  const ready = status === 'True' || status === 'False' ? status : 'Unknown';
  return ready === 'True' ? { ...NOTHING, ready, since: rest.since } : { ...rest, ready };
}

function byFields(status: JsonObject): ObjectState {
  const { ready, initialization } = status;
  const started = isJsonObject(initialization) ? Object.values(initialization) : [];
  const flag = typeof ready === 'boolean' ? ready : started.find((value) => typeof value === 'boolean');
  return flag === undefined ? NOTHING : { ...NOTHING, ready: flag === true ? 'True' : 'False' };
}

function severityOf(status: string, reason: string): string {
  if (status !== 'False') return '';
  return isWaitReason(reason) && WAIT_REASONS[reason].normal ? 'Info' : 'Warning';
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
