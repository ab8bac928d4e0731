import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  becomes,
  bindCluster,
  essence,
  moveIsMissing,
  runAt,
  type Side,
  seeNodes,
  sideOf,
} from '../testing/bound-cluster.ts';
import { type ClusterMode, clusterModeIsMissing, startClusterMode } from '../testing/cluster-mode.ts';
import { type ManagedMachine, startManagedMachine } from '../testing/managed-machine.ts';
import { type ServeProcess, startServe } from '../testing/serve-process.ts';

/** What clusterctl would have set when it installed Cluster API core. */
const LABEL = [
  'label',
  'crds',
  '-l',
  'cluster.x-k8s.io/provider=cluster-api',
  'clusterctl.cluster.x-k8s.io=',
  '--overwrite',
];

/** Upstream core names the version of TalosConfig that its contract says, and makes a kubeconfig where there is none. */
function wishesOf(side: Side): readonly string[] {
  return essence(side)
    .filter((text) => !text.startsWith('Secret/forge-kubeconfig '))
    .map((text) => text.replaceAll('bootstrap.cluster.x-k8s.io/v1alpha3', 'bootstrap.cluster.x-k8s.io/v1beta1'));
}

describe('real clusterctl move from a plane to a real kube-apiserver with upstream core, and back', {
  skip: moveIsMissing || clusterModeIsMissing,
}, () => {
  const machines: ManagedMachine[] = [];
  let plane: ServeProcess | undefined;
  let mode: ClusterMode | undefined;
  let home: Side;
  let away: Side;
  let wishes: readonly string[];
  const orders = (): readonly (readonly string[])[] => machines.map((machine) => machine.orders());
  const isWhole = async (side: Side): Promise<void> => {
    await becomes(side, 'true', ['get', 'cluster', 'forge', '-o', 'jsonpath={.status.infrastructureReady}']);
    await becomes(side, 'true true', ['get', 'metalmachines', '-o', 'jsonpath={.items[*].status.ready}']);
    await becomes(side, 'true true', ['get', 'machines', '-o', 'jsonpath={.items[*].status.infrastructureReady}']);
    await becomes(side, 'true true', ['get', 'machines', '-o', 'jsonpath={.items[*].status.bootstrapReady}']);
    await becomes(side, 'on on', ['get', 'servers', '-o', 'jsonpath={.items[*].status.power}']);
  };

  before(async () => {
    machines.push(await startManagedMachine(), await startManagedMachine());
    [plane, mode] = await Promise.all([startServe(), startClusterMode()]);
    home = sideOf(plane.kubeconfig);
    away = sideOf(mode.kubeconfig);
    away.ok(LABEL);
    await bindCluster(home, machines);
    wishes = wishesOf(home);
  });
  after(async () => {
    await mode?.[Symbol.asyncDispose]();
    await plane?.stop();
    await Promise.all(machines.map((machine) => machine[Symbol.asyncDispose]()));
  });

  it('upstream core takes the cluster over as it is, and no machine is told anything', async () => {
    const told = orders();
    await runAt(home, 'move', '--to-kubeconfig', away.kubeconfig);
    await isWhole(away);
    assert.deepEqual(wishesOf(away), wishes, mode?.log());
    assert.deepEqual(orders(), told);
    assert.equal(home.ok(['get', 'clusters,machines,metalmachines,talosconfigs', '-o', 'name']), '');
  });

  it('and gives it back', async () => {
    const told = orders();
    seeNodes(away);
    await runAt(away, 'move', '--to-kubeconfig', home.kubeconfig);
    await isWhole(home);
    assert.deepEqual(wishesOf(home), wishes);
    assert.deepEqual(orders(), told);
  });
});
