import { isBloomeryError } from '@bloomery/ports';
import { servedResource, verbsOf } from '../discovery/index.ts';
import { methodNotAllowed } from '../pipeline/api-status.ts';
import { listObjects } from '../pipeline/reader.ts';
import type { ApiAnswer } from './api-request.ts';
import { type DeleteOptions, deleteOptionsOf } from './delete-options.ts';
import { collectionAnswer } from './list-answer.ts';
import { listOptionsOf } from './list-options.ts';
import type { Representation } from './negotiate.ts';
import type { ResourceCall } from './resource-call.ts';

/** Objects deleted in one commit: a larger one would hold up other writers. */
const STEP = 500;

/**
 * Delete what a list with these selectors, limit and continue token would show, and answer with that list. What is gone
 * meanwhile is passed over; the first refusal ends it, as upstream.
 */
export async function deleteCollection(call: ResourceCall, representation: Representation): Promise<ApiAnswer> {
  const { engine, path, resource, version, request } = call;
  if (!verbsOf(servedResource(version)).includes('deletecollection')) throw methodNotAllowed();
  const list = listOptionsOf(request.query, false);
  const options = await deleteOptionsOf(request);
  const result = listObjects(engine.store, { ...list, resource, version, namespace: path.namespace });
  await engine.conversions.prepare(resource, result.items, version);
  for (let from = 0; from < result.items.length && !request.signal.aborted; from += STEP) {
    const step = result.items.slice(from, from + STEP);
    await Promise.all(step.map(({ metadata }) => deleteOne(call, metadata.name, options)));
  }
  return collectionAnswer(call, { ...result, resourceVersion: String(engine.store.revision) }, representation);
}

async function deleteOne(call: ResourceCall, name: string, options: DeleteOptions): Promise<void> {
  const { engine, path, resource, version, user } = call;
  const namespace = path.namespace ?? '';
  try {
    await engine.writer.delete({ resource, version, namespace, name, user, inCollection: true, ...options });
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
  }
}
