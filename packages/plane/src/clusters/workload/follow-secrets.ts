import type { ObjectClient } from '@bloomery/kube';
import { type ObjectKey, secret } from '@bloomery/model';
import { backOffMs, type Clock, errorText, isBloomeryError, type Logger } from '@bloomery/ports';
import { CLUSTER_SECRET_TYPE, clusterOfKubeconfigSecret } from './secret-access.ts';

export interface FollowSecretsDeps {
  readonly client: Pick<ObjectClient, 'watch'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  /** The kubeconfig Secret of this cluster changed, came or went; undefined: that of any may have. */
  readonly changed: (cluster: ObjectKey | undefined) => void;
}

const RETRY = { firstMs: 250, maxMs: 30_000 };
const SHORT_WATCH_MS = 1000;

/**
 * Tell of changes of kubeconfig Secrets until the signal aborts, without keeping any of them. Only Secrets of Cluster API's
 * own type are watched, so that no machine config comes this way.
 */
export async function followKubeconfigSecrets(deps: FollowSecretsDeps, signal: AbortSignal): Promise<void> {
  const { client, clock, log, random, changed } = deps;
  const fields = `type=${CLUSTER_SECRET_TYPE}`;
  let position: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    const startedMs = clock.nowMs();
    try {
      // From the beginning every Secret is told; those that went meanwhile are not.
      if (position === undefined) changed(undefined);
      const from = position === undefined ? {} : { resourceVersion: position };
      for await (const event of client.watch(secret, { fields, signal, ...from })) {
        if (event.type === 'BOOKMARK') position = event.resourceVersion;
        else {
          position = event.object.metadata.resourceVersion ?? position;
          const cluster = clusterOfKubeconfigSecret(event.object.metadata);
          if (cluster !== undefined) changed(cluster);
        }
      }
      failures = clock.nowMs() - startedMs < SHORT_WATCH_MS ? failures + 1 : 0;
    } catch (error) {
      if (signal.aborted) return;
      if (isBloomeryError(error, 'BLM_API_EXPIRED')) position = undefined;
      failures++;
      log.debug('workload.secrets.failed', { failures, error: errorText(error) });
    }
    if (failures > 0) await clock.sleep(backOffMs(failures, RETRY, random), signal);
  }
}
