import type { Condition, KubeObject } from '@bloomery/model';
import type { TimelineEntry } from '../timeline.ts';
import type { BoundMachine } from './bound-machine.ts';

/** What the explained kinds have in common. */
export interface ExplainedObject extends KubeObject {
  readonly status?: {
    readonly phase?: string;
    readonly waitingFor?: string;
    readonly conditions?: readonly ExplainedCondition[];
  };
}

/** A condition as far as rules read it: Environments leave out reasons and times of theirs. */
export type ExplainedCondition = Pick<Condition, 'type' | 'status'> &
  Partial<Pick<Condition, 'severity' | 'reason' | 'message' | 'lastTransitionTime'>>;

/** Everything that a rule may look at. */
export interface ExplainInput {
  readonly object: ExplainedObject;
  /** Objects that the object waits for, nearest first: a MetalMachine's Server, a Machine's MetalMachine and its Server. */
  readonly upstream: readonly ExplainedObject[];
  /** Timeline of the object's machine, oldest first. */
  readonly entries: readonly TimelineEntry[];
  /** The allocated machine behind the object, if it has one. */
  readonly machine?: BoundMachine | undefined;
  readonly nowMs: number;
}

/** `server/6b12…`, `metalmachine/default/m-0`: how commands take an object. */
export function objectRef(object: KubeObject): string {
  const { name, namespace } = object.metadata;
  return `${object.kind.toLowerCase()}/${name}${namespace === undefined ? '' : ` -n ${namespace}`}`;
}
