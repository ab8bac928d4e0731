import { timeText } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { ApiObject } from '../api-object.ts';
import type { ObjectId } from '../store/store.ts';
import type { GarbageCollectorDeps } from './garbage-collector.ts';

type Owner = NonNullable<ApiObject['metadata']['ownerReferences']>[number];

/**
 * Leave an Event on an object whose owner reference names something in another namespace, as kube-controller-manager does
 * before the object goes. Events that cannot be stored are not missed.
 */
export async function tellOfForeignOwner(
  { registry, writer, clock }: Pick<GarbageCollectorDeps, 'registry' | 'writer' | 'clock'>,
  id: ObjectId,
  object: ApiObject,
  owner: Owner,
): Promise<void> {
  const resource = registry.byId('events');
  if (resource === undefined) return;
  const { namespace, name } = id;
  const time = timeText(clock.nowMs());
  const reference = `[${owner.apiVersion}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}]`;
  const { apiVersion, kind, metadata } = object;
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { generateName: `${name.slice(0, 200)}-` },
    involvedObject: { apiVersion, kind, namespace, name, uid: metadata.uid ?? '' },
    type: 'Warning',
    reason: 'OwnerRefInvalidNamespace',
    message: `ownerRef ${reference} does not exist in namespace ${JSON.stringify(namespace)}`,
    source: { component: 'garbage-collector-controller' },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
  const request = { resource, version: resource.storage, namespace, manager: 'garbage-collector' } as const;
  try {
    await writer.create({ ...request, dryRun: false, fieldValidation: 'Ignore' }, event);
  } catch (error) {
    // The namespace may be ending, or a webhook may object: that must not keep the object alive.
    if (!isBloomeryError(error) || error.retryable) throw error;
  }
}
