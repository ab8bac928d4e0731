import type { Registry } from '../registry/registry.ts';
import { conflict, noSuchResource } from './api-status.ts';
import type { WriteRequest } from './write-request.ts';

/** Thrown by a step that waited for a webhook and found afterwards that what it had built on is no longer so. */
export class StateMoved extends Error {
  override readonly name = 'StateMoved';
}

/** kube-apiserver tries a patch again as often. */
const MAX_ATTEMPTS = 6;

/**
 * Do a write until nothing moved under it. Only a write that waits for webhooks can meet that: then it is built anew on the
 * present state and the present definition of its kind, so that one without resourceVersion loses to nobody.
 *
 * @throws 409 when that happened too often, 404 when the kind is no longer served.
 */
export async function settleWrite<R extends Pick<WriteRequest, 'resource' | 'version'>, T>(
  registry: Pick<Registry, 'find'> | undefined,
  request: R,
  name: string,
  write: (request: R) => Promise<T>,
): Promise<T> {
  let current = request;
  for (let attempt = 1; ; attempt++) {
    try {
      return await write(current);
    } catch (error) {
      if (!(error instanceof StateMoved)) throw error;
      if (attempt >= MAX_ATTEMPTS) throw conflict(request.resource, name);
    }
    current = renewed(registry, current);
  }
}

function renewed<R extends Pick<WriteRequest, 'resource' | 'version'>>(
  registry: Pick<Registry, 'find'> | undefined,
  request: R,
): R {
  if (registry === undefined) return request;
  const { group, version, plural } = request.version;
  const found = registry.find(group, version, plural);
  if (found === undefined) throw noSuchResource();
  return { ...request, ...found };
}
