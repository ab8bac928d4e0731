import { setTimeout as sleep } from 'node:timers/promises';
import { BloomeryError } from '@bloomery/ports';
import {
  CLUSTER_STAGES,
  type ClusterSight,
  type ClusterStage,
  clusterStagesSeen,
  clusterWaits,
} from './cluster-stages.ts';

export interface ClusterJourneyOptions {
  readonly name: string;
  readonly sight: () => ClusterSight;
  readonly say: (line: string) => void;
}

/** Follows a cluster and says each of its stages once, when it is seen first. */
export interface ClusterJourney {
  /** Look now. */
  note(): void;
  /**
   * Look until every stage holds at the same moment.
   * @throws BloomeryError BLM_LAB_STAGE_MISSED naming what is missing and what is waited for.
   */
  complete(timeoutMs: number): Promise<void>;
}

const LOOK_EVERY_MS = 250;

/** Begins now: times are told from here. */
export function followCluster({ name, sight, say }: ClusterJourneyOptions): ClusterJourney {
  const startedMs = Date.now();
  const said = new Set<ClusterStage>();
  const look = (): ClusterStage[] => {
    const seen = clusterStagesSeen(sight());
    for (const stage of CLUSTER_STAGES.filter((each) => seen.has(each) && !said.has(each))) {
      said.add(stage);
      say(`cluster ${name}  ${stage.padEnd(19)}  after ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
    }
    return CLUSTER_STAGES.filter((stage) => !seen.has(stage));
  };
  return {
    note: () => void look(),
    async complete(timeoutMs) {
      for (const end = Date.now() + timeoutMs; ; await sleep(LOOK_EVERY_MS)) {
        const missing = look();
        if (missing.length === 0) return;
        if (Date.now() < end) continue;
        const waits = clusterWaits(sight()).join('; ') || 'nothing';
        throw new BloomeryError(
          'BLM_LAB_STAGE_MISSED',
          `waiting ${timeoutMs / 1000} s for cluster ${name}: it lacks ${missing.join(', ')}; waited for: ${waits}`,
          { facts: { cluster: name, missing } },
        );
      }
    },
  };
}
