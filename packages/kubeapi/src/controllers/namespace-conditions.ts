import { isJsonObject, type JsonObject } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';

/** What is left in a namespace, by resource (`plural.group`). */
export type Remaining = ReadonlyMap<string, readonly ApiObject[]>;

/** Conditions of a namespace that is being emptied, in the words of Kubernetes; times change only with a status. */
export function namespaceConditions(remaining: Remaining, before: unknown, time: string): readonly JsonObject[] {
  const old = Array.isArray(before) ? before.filter(isJsonObject) : [];
  const conditions = [
    ['NamespaceDeletionDiscoveryFailure', false, 'ResourcesDiscovered', 'All resources successfully discovered'],
    [
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ],
    [
      'NamespaceDeletionContentFailure',
      false,
      'ContentDeleted',
      'All content successfully deleted, may be waiting on finalization',
    ],
    contentCondition(remaining),
    finalizersCondition(remaining),
  ] as const;
  return conditions.map(([type, isTrue, reason, message]) => {
    const status = isTrue ? 'True' : 'False';
    const known = old.find((c) => c['type'] === type && c['status'] === status);
    return { type, status, lastTransitionTime: known?.['lastTransitionTime'] ?? time, reason, message };
  });
}

function contentCondition(remaining: Remaining) {
  const counts = [...remaining].map(([resource, objects]) => {
    const name = resource.includes('.') ? resource : `${resource}.`;
    return `${name} has ${objects.length} resource instances`;
  });
  const type = 'NamespaceContentRemaining';
  if (counts.length === 0) return [type, false, 'ContentRemoved', 'All content successfully removed'] as const;
  return [type, true, 'SomeResourcesRemain', `Some resources are remaining: ${counts.join(', ')}`] as const;
}

function finalizersCondition(remaining: Remaining) {
  const counts = new Map<string, number>();
  for (const object of [...remaining.values()].flat()) {
    for (const name of object.metadata.finalizers ?? []) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const texts = [...counts].map(([name, count]) => `${name} in ${count} resource instances`);
  const type = 'NamespaceFinalizersRemaining';
  if (texts.length === 0)
    return [type, false, 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'] as const;
  const message = `Some content in the namespace has finalizers remaining: ${texts.join(', ')}`;
  return [type, true, 'SomeFinalizersRemain', message] as const;
}
