import type { ObjectCache, VirtualResource } from '@bloomery/kube';
import {
  apiVersionOf,
  type Explanation,
  explanation,
  type KubeObject,
  type MachineTimeline,
  machineTimeline,
  type ObjectKey,
} from '@bloomery/model';
import type { Clock } from '@bloomery/ports';
import { clusterEntries } from './cluster-timeline.ts';
import { isGroup } from './explain/cluster-parts.ts';
import { explainFrom } from './explain/explain-from.ts';
import type { ExplainedObject } from './explain/explain-input.ts';
import { EXPLAINED_KINDS, timelineSubject } from './explain/upstream-objects.ts';
import type { TimelineEntry, TimelineSubject } from './timeline.ts';
import type { Timeline } from './timeline-store.ts';

/** What insight is computed from. */
export interface InsightDeps {
  readonly cache: ObjectCache;
  readonly timeline: Pick<Timeline, 'query'>;
  readonly clock: Clock;
}

const NAMESPACE_OF_CLUSTER_SCOPED = 'default';
const EXPLAIN_ENTRIES = 100;
const TIMELINE_ENTRIES = 1_000;

/** The read-only kinds of insight.bloomery.dev, for the embedded API to serve. */
export function insightResources(deps: InsightDeps): readonly VirtualResource[] {
  return [resourceOf(explanation, deps, explain), resourceOf(machineTimeline, deps, timelineOf)];
}

/** The name of the insight object about an object: `server.6b12…`. */
export function insightName(kind: string, name: string): string {
  return `${kind.toLowerCase()}.${name}`;
}

type Compute<T> = (object: ExplainedObject, deps: InsightDeps, about: TimelineSubject | undefined) => T | undefined;

function resourceOf<T extends KubeObject>(
  kind: VirtualResource<T>['kind'],
  deps: InsightDeps,
  compute: Compute<T>,
): VirtualResource<T> {
  const of = (object: ExplainedObject): T | undefined => compute(object, deps, timelineSubject(object, deps.cache));
  return {
    kind,
    list: (namespace) =>
      EXPLAINED_KINDS.flatMap((explained) => deps.cache.list<ExplainedObject>(explained))
        .filter((object) => namespace === undefined || namespaceOf(object) === namespace)
        .flatMap((object) => of(object) ?? [])
        .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1)),
    get: (key) => {
      const object = find(key, deps.cache);
      return object === undefined ? undefined : of(object);
    },
  };
}

function explain(object: ExplainedObject, { cache, timeline, clock }: InsightDeps): Explanation {
  const findings = explainFrom(object, {
    cache,
    entries: (about, sources) =>
      timeline.query({ about, limit: EXPLAIN_ENTRIES, ...(sources === undefined ? {} : { sources }) }),
    nowMs: clock.nowMs(),
  });
  return { ...head(explanation, object), healthy: findings.length === 0, findings };
}

function timelineOf(
  object: ExplainedObject,
  deps: InsightDeps,
  about: TimelineSubject | undefined,
): MachineTimeline | undefined {
  if (about === undefined) return undefined;
  const entries = isGroup(object)
    ? clusterEntries(object, about, deps, TIMELINE_ENTRIES)
    : deps.timeline.query({ about, limit: TIMELINE_ENTRIES });
  const last = entries.at(-1);
  return {
    ...head(machineTimeline, object),
    ...(last === undefined ? {} : { last: asJson(last) }),
    entries: entries.map(asJson),
  };
}

/** Facts are whatever the recorder gave; a round trip leaves JSON. */
function asJson(
  entry: TimelineEntry,
): NonNullable<MachineTimeline['entries']>[number] & NonNullable<MachineTimeline['last']> {
  return JSON.parse(JSON.stringify(entry));
}

function head(
  kind: typeof explanation | typeof machineTimeline,
  object: KubeObject,
): Pick<Explanation, 'apiVersion' | 'kind' | 'metadata'> & { readonly about: NonNullable<Explanation['about']> } {
  const { name, namespace } = object.metadata;
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: {
      name: insightName(object.kind, name),
      namespace: namespaceOf(object),
      ...(object.metadata.creationTimestamp === undefined
        ? {}
        : { creationTimestamp: object.metadata.creationTimestamp }),
    },
    about: { kind: object.kind, name, ...(namespace === undefined ? {} : { namespace }) },
  };
}

function find(key: ObjectKey, cache: ObjectCache): ExplainedObject | undefined {
  const at = key.name.indexOf('.');
  const kind = EXPLAINED_KINDS.find((explained) => explained.kind.toLowerCase() === key.name.slice(0, at));
  if (kind === undefined) return undefined;
  const name = key.name.slice(at + 1);
  const namespace = key.namespace ?? NAMESPACE_OF_CLUSTER_SCOPED;
  const isThere = kind.scope === 'Namespaced' || namespace === NAMESPACE_OF_CLUSTER_SCOPED;
  return isThere
    ? cache.get<ExplainedObject>(kind, kind.scope === 'Cluster' ? { name } : { name, namespace })
    : undefined;
}

function namespaceOf(object: KubeObject): string {
  return object.metadata.namespace ?? NAMESPACE_OF_CLUSTER_SCOPED;
}

function sortKey(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
