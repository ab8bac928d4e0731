import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Machine } from '@bloomery/model';
import { CLUSTER_STAGES, type ClusterSight, clusterStagesSeen, clusterWaits } from './cluster-stages.ts';
import { followCluster } from './follow-cluster.ts';

const nothing: ClusterSight = { cluster: undefined, controlPlane: undefined, deployments: [], machines: [] };
const named = (kind: string, name: string) => ({ apiVersion: 'x', kind, metadata: { name } });
const running = (name: string): Machine => ({
  ...named('Machine', name),
  status: { phase: 'Running', nodeRef: { name } },
});
const complete: ClusterSight = {
  cluster: {
    ...named('Cluster', 'forge'),
    status: {
      infrastructureReady: true,
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '' }],
    },
  },
  controlPlane: {
    ...named('TalosControlPlane', 'forge-cp'),
    status: { bootstrapped: true, initialized: true, ready: true },
  },
  deployments: [{ ...named('MachineDeployment', 'forge-workers'), status: { availableReplicas: 1 } }],
  machines: [running('forge-cp-1'), running('forge-workers-1')],
};

describe('the stages of a cluster', () => {
  it('of which nothing is seen are none', () => assert.deepEqual([...clusterStagesSeen(nothing)], []));
  it('are all there when each of its objects says so', () => {
    assert.deepEqual([...clusterStagesSeen(complete)], [...CLUSTER_STAGES]);
  });
  it('are not all there while a machine has no Node, or a worker is not available', () => {
    const lone = named('Machine', 'forge-workers-1');
    const seen = clusterStagesSeen({ ...complete, machines: [running('forge-cp-1'), lone], deployments: [] });
    assert.deepEqual(
      CLUSTER_STAGES.filter((stage) => !seen.has(stage)),
      ['WorkersAvailable', 'MachinesRunning'],
    );
  });
  it('are said once, and the end is reached when all hold at once', async () => {
    const said: string[] = [];
    let sight = nothing;
    const journey = followCluster({ name: 'forge', sight: () => sight, say: (line) => said.push(line) });
    journey.note();
    sight = { ...nothing, cluster: complete.cluster };
    journey.note();
    journey.note();
    assert.deepEqual(
      said.map((line) => line.split(/ +/)[2]),
      ['InfrastructureReady', 'ClusterReady'],
    );
    sight = complete;
    await journey.complete(1000);
    assert.equal(said.length, CLUSTER_STAGES.length);
  });
  it('that are missed are named, with what is waited for', async () => {
    const sight = { ...complete, cluster: { ...named('Cluster', 'forge'), status: { waitingFor: 'a control plane' } } };
    assert.deepEqual(clusterWaits(sight), ['Cluster/forge: a control plane']);
    const journey = followCluster({ name: 'forge', sight: () => sight, say: () => {} });
    await assert.rejects(
      journey.complete(0),
      /lacks InfrastructureReady, ClusterReady; waited for: Cluster\/forge: a control plane/,
    );
  });
});
