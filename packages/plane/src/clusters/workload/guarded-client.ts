import type { ObjectClient, RemoteClient } from '@bloomery/kube';
import { keyText, type ObjectKey } from '@bloomery/model';
import { BloomeryError, isBloomeryError } from '@bloomery/ports';
import { isAnswer, workloadFailureText } from './workload-failure.ts';

/** What a workload cluster is reached by at this moment. */
export interface CurrentRemote {
  readonly remote: RemoteClient;
  readonly server: string;
  /** A call got no answer: find out whether the API lives. */
  readonly doubt: () => void;
}

/**
 * An ObjectClient that goes through whatever connection there is at the moment of each call, so that it can be kept.
 *
 * @param current the connection, or why there is none
 * @returns a client whose calls throw BLM_WORKLOAD_UNREACHABLE when the API gave no answer; its refusals are BLM_API_*
 */
export function guardedClient(cluster: ObjectKey, current: () => CurrentRemote | string): ObjectClient {
  const find = (): CurrentRemote => {
    const found = current();
    if (typeof found === 'string') throw unreachable(cluster, found);
    return found;
  };
  const call = async <T>(work: (remote: RemoteClient) => Promise<T>): Promise<T> => {
    const { remote, server, doubt } = find();
    try {
      return await work(remote);
    } catch (error) {
      if (!isBloomeryError(error, 'BLM_API_UNAVAILABLE') || isAnswer(error)) throw error;
      doubt();
      throw unreachable(cluster, workloadFailureText(error, server), error);
    }
  };
  return {
    get: (kind, key) => call((remote) => remote.get(kind, key)),
    list: (kind, options) => call((remote) => remote.list(kind, options)),
    watch: (kind, options) => find().remote.watch(kind, options),
    create: (kind, object, options) => call((remote) => remote.create(kind, object, options)),
    update: (kind, object, options) => call((remote) => remote.update(kind, object, options)),
    patch: (kind, key, patch, options) => call((remote) => remote.patch(kind, key, patch, options)),
    delete: (kind, key, options) => call((remote) => remote.delete(kind, key, options)),
  };
}

/** @param why a sentence without its end */
export function unreachable(cluster: ObjectKey, why: string, cause?: unknown): BloomeryError {
  return new BloomeryError(
    'BLM_WORKLOAD_UNREACHABLE',
    `reaching the Kubernetes API of Cluster ${keyText(cluster)}: ${why}`,
    { retryable: true, facts: { cluster: keyText(cluster) }, ...(cause === undefined ? {} : { cause }) },
  );
}
