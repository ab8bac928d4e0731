import type { ObjectCache } from '@bloomery/kube';
import { type KubeObject, serverBinding } from '@bloomery/model';
import { machinesOf } from './explain/cluster-parts.ts';
import { timelineSubject } from './explain/upstream-objects.ts';
import type { TimelineEntry, TimelineSubject } from './timeline.ts';
import type { Timeline } from './timeline-store.ts';

const MACHINES_MAX = 200;

/**
 * The marks of a Cluster and of all its machines as one timeline, oldest first, the newest `limit`. What a Server did before it
 * was allocated to the Cluster is not part of it.
 */
export function clusterEntries(
  object: KubeObject,
  about: TimelineSubject,
  { cache, timeline }: { readonly cache: ObjectCache; readonly timeline: Pick<Timeline, 'query'> },
  limit: number,
): readonly TimelineEntry[] {
  const found = new Map<number, TimelineEntry>();
  const add = (entries: readonly TimelineEntry[]): void => {
    for (const entry of entries) found.set(entry.seq, entry);
  };
  add(timeline.query({ about, limit }));
  for (const machine of machinesOf(object, cache).slice(0, MACHINES_MAX)) {
    const { server, ...own } = timelineSubject(machine, cache) ?? {};
    add(timeline.query({ about: own, limit }));
    const binding = server === undefined ? undefined : cache.get(serverBinding, { name: server });
    const sinceMs = Date.parse(binding?.metadata.creationTimestamp ?? '');
    if (server !== undefined && !Number.isNaN(sinceMs)) add(timeline.query({ about: { server }, sinceMs, limit }));
  }
  return [...found.values()].sort((a, b) => a.seq - b.seq).slice(-limit);
}
