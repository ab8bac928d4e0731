import type { ObjectCache } from '@bloomery/kube';
import { type Finding, type KubeObject, type Server, type ServerBinding, server, serverBinding } from '@bloomery/model';
import type { TimelineEntry } from '../timeline.ts';
import { isGroup } from './cluster-parts.ts';
import { EVIDENCE_MAX } from './evidence.ts';
import type { ExplainedObject } from './explain-input.ts';

/** A machine that is allocated: what its operating system reports and how it is linked is known by its ServerBinding. */
export interface BoundMachine {
  readonly binding: ServerBinding;
  readonly server: Server | undefined;
  /** Marks of sources `link`, `config` and `talos` about it, oldest first. */
  readonly entries: readonly TimelineEntry[];
}

/** A finding, and the rules and reasons that say less of the same. */
export interface RuleFinding extends Finding {
  readonly hides: readonly string[];
}

/** Looks at one machine. Pure. undefined: it has nothing to say. */
export type MachineRule = (machine: BoundMachine, nowMs: number) => RuleFinding | undefined;

/**
 * The allocated machine behind an object, by the objects that it waits for (see upstreamObjects). Those of a group are explained
 * each by its own: undefined.
 *
 * @param entries Asked for only where there is such a machine.
 */
export function boundMachine(
  object: KubeObject,
  upstream: readonly ExplainedObject[],
  cache: Pick<ObjectCache, 'get'>,
  entries: () => readonly TimelineEntry[],
): BoundMachine | undefined {
  if (isGroup(object)) return undefined;
  const own = [object, ...upstream].find(({ kind }) => kind === 'Server' || kind === 'ServerBinding');
  if (own === undefined) return undefined;
  const key = { name: own.metadata.name };
  const binding = cache.get(serverBinding, key);
  return binding && { binding, server: cache.get(server, key), entries: entries() };
}

/** A finding of a rule about a machine; severity `error` unless given. */
export function machineFinding(
  rule: string,
  more: Pick<RuleFinding, 'cause' | 'evidence' | 'next' | 'do' | 'hides'> &
    Partial<Pick<Finding, 'since' | 'severity'>>,
): RuleFinding {
  const page = `reference/explain-rules#${rule.toLowerCase()}`;
  return { rule, severity: 'error', more: page, ...more, evidence: more.evidence.slice(0, EVIDENCE_MAX) };
}

/** Marks with these event ids. */
export function marksOf(entries: readonly TimelineEntry[], ...events: readonly string[]): readonly TimelineEntry[] {
  return entries.filter(({ event }) => events.includes(event));
}
