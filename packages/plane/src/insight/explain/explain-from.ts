import type { ObjectCache } from '@bloomery/kube';
import { CONSEQUENT_WAITS, cluster, type Finding } from '@bloomery/model';
import type { TimelineEntry, TimelineSource, TimelineSubject } from '../timeline.ts';
import { boundMachine } from './bound-machine.ts';
import { isGroup, isTroubled, machinesOf, referencedBy } from './cluster-parts.ts';
import type { ExplainedObject } from './explain-input.ts';
import { explainObject } from './explain-object.ts';
import { timelineSubject, upstreamObjects } from './upstream-objects.ts';

/** What explanations are made from. */
export interface ExplainSources {
  readonly cache: Pick<ObjectCache, 'get' | 'list'>;
  /** Marks about a subject, of these sources only where some are named; oldest first. Empty where no timeline is kept. */
  readonly entries: (about: TimelineSubject, sources?: readonly TimelineSource[]) => readonly TimelineEntry[];
  readonly nowMs: number;
}

/** Machines of a group that are explained in its explanation. */
const MEMBERS_MAX = 10;
const FINDINGS_PER_MEMBER = 2;
const SEVERITIES: readonly Finding['severity'][] = ['error', 'warning', 'info'];

/**
 * Why an object is not where it should be, the root first. What is wrong with a machine of a Cluster, control plane or
 * MachineDeployment comes before what the group says of it, and whoever waits only for others comes last.
 */
export function explainFrom(object: ExplainedObject, sources: ExplainSources): readonly Finding[] {
  if (!isGroup(object)) return explainOne(object, sources);
  const members = machinesOf(object, sources.cache).filter(isTroubled).slice(0, MEMBERS_MAX);
  const ofMembers = members.flatMap((member) => explainOne(member, sources).slice(0, FINDINGS_PER_MEMBER));
  const said = new Set(ofMembers.map(({ rule }) => rule));
  const own = explainOne(object, sources).filter(({ rule }) => !said.has(rule));
  const ranked = [
    ...ofMembers.map((finding) => ({ finding, rank: rankOf(finding) })),
    ...own.map((finding) => ({
      finding,
      rank: isRootOf(object, finding, sources.cache) ? SEVERITIES.length : rankOf(finding) + SEVERITIES.length,
    })),
  ];
  return ranked.toSorted((a, b) => a.rank - b.rank).map(({ finding }) => finding);
}

/** Waits of a Cluster for what it refers to. */
const REFERENCE_WAITS: Readonly<Record<string, string>> = {
  WaitingForInfrastructure: 'infrastructureRef',
  WaitingForControlPlane: 'controlPlaneRef',
};

/** What a Cluster refers to is not there, or nothing is known of it: then nobody else can say more than the Cluster does. */
function isRootOf(object: ExplainedObject, { rule }: Finding, cache: ExplainSources['cache']): boolean {
  const field = object.kind === cluster.kind ? REFERENCE_WAITS[rule] : undefined;
  return field !== undefined && referencedBy(object, field, cache) === undefined;
}

/** Those of the group itself come after those of its machines; consequences after both. */
function rankOf({ rule, severity }: Finding): number {
  return (CONSEQUENT_WAITS.has(rule) ? 2 * SEVERITIES.length : 0) + SEVERITIES.indexOf(severity);
}

function explainOne(object: ExplainedObject, { cache, entries, nowMs }: ExplainSources): readonly Finding[] {
  const about = timelineSubject(object, cache);
  const upstream = upstreamObjects(object, cache);
  const machine = boundMachine(object, upstream, cache, () => machineEntries(about, entries));
  const findings = explainObject({
    object,
    upstream,
    entries: about === undefined ? [] : entries(about),
    machine,
    nowMs,
  });
  // What an object hands on from the one that it waits for says no more.
  return findings.filter(({ rule }, i) => findings.findIndex((other) => other.rule === rule) === i);
}

/** One boot leaves dozens of marks: those of the link, which are few, are looked for apart. */
function machineEntries(
  about: TimelineSubject | undefined,
  entries: ExplainSources['entries'],
): readonly TimelineEntry[] {
  if (about === undefined) return [];
  return [...entries(about, ['link', 'config']), ...entries(about, ['talos'])].sort((a, b) => a.seq - b.seq);
}
