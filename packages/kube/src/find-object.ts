import type { KindRef, KubeObject, ObjectKey } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { ObjectClient } from './object-client.ts';

/** Read an object through the API; undefined when there is none. */
export async function findObject<T extends KubeObject>(
  client: Pick<ObjectClient, 'get'>,
  kind: KindRef<T>,
  key: ObjectKey,
): Promise<T | undefined> {
  try {
    return await client.get(kind, key);
  } catch (error) {
    if (isBloomeryError(error, 'BLM_API_NOT_FOUND')) return undefined;
    throw error;
  }
}
