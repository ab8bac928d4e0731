import { join } from 'node:path';
import { keyText, type ObjectKey } from '@bloomery/model';
import type { BoundAddress, Clock, Logger, RandomBytes } from '@bloomery/ports';
import { createInstantCluster, type InstantCluster } from './instant-cluster.ts';
import { createLoopbackAddresses, type LoopbackAddresses } from './loopback-addresses.ts';

/** All simulated clusters of a process, by the key of their Cluster. */
export interface InstantWorld extends AsyncDisposable {
  readonly addresses: LoopbackAddresses;
  cluster(key: ObjectKey): InstantCluster | undefined;
  clusters(): readonly InstantCluster[];
  /** The cluster with this endpoint; made when it is not there yet. */
  open(key: ObjectKey, endpoint: BoundAddress): InstantCluster;
  close(key: ObjectKey): Promise<void>;
}

export interface InstantWorldDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  /** Everything of this world on disk. */
  readonly dir: string;
  readonly stepDelayMs: number;
}

/** A world without clusters. */
export function createInstantWorld(deps: InstantWorldDeps): InstantWorld {
  const clusters = new Map<string, InstantCluster>();
  const close = async (text: string): Promise<void> => {
    const found = clusters.get(text);
    clusters.delete(text);
    await found?.[Symbol.asyncDispose]();
  };
  return {
    addresses: createLoopbackAddresses(deps.random),
    cluster: (key) => clusters.get(keyText(key)),
    clusters: () => [...clusters.values()],
    open: (key, endpoint) => {
      const text = keyText(key);
      const found = clusters.get(text);
      if (found !== undefined) return found;
      const dir = join(deps.dir, `${endpoint.host}-${endpoint.port}`);
      const made = createInstantCluster(endpoint, { ...deps, dir });
      clusters.set(text, made);
      return made;
    },
    close: (key) => close(keyText(key)),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...clusters.keys()].map(close));
    },
  };
}
