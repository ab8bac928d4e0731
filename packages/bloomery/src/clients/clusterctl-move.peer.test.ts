import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  becomes,
  bindCluster,
  essence,
  MACHINES,
  moveIsMissing,
  runAt,
  runClusterctl,
  SERVERS,
  type Side,
  seeNodes,
  sideOf,
} from '../testing/bound-cluster.ts';
import { type ManagedMachine, startManagedMachine } from '../testing/managed-machine.ts';
import { type ServeProcess, startServe } from '../testing/serve-process.ts';

describe('real clusterctl move between two planes', { skip: moveIsMissing }, () => {
  const machines: ManagedMachine[] = [];
  const planes: ServeProcess[] = [];
  let home: Side;
  let away: Side;
  let before_: readonly string[];
  const orders = (): readonly (readonly string[])[] => machines.map((machine) => machine.orders());

  before(async () => {
    machines.push(await startManagedMachine(), await startManagedMachine());
    planes.push(...(await Promise.all([startServe(), startServe()])));
    const [first, second] = planes.map(({ kubeconfig }) => sideOf(kubeconfig));
    assert.ok(first !== undefined && second !== undefined);
    [home, away] = [first, second];
    await bindCluster(home, machines);
  });
  after(async () => {
    await Promise.all([...planes.map((plane) => plane.stop()), ...machines.map((m) => m[Symbol.asyncDispose]())]);
  });

  it('describes the cluster', async () => {
    const text = await runAt(
      home,
      'describe',
      'cluster',
      'forge',
      '--show-conditions',
      'all',
      '--echo',
      '--grouping=false',
    );
    assert.match(text, /Cluster\/forge/);
    assert.match(text, /ClusterInfrastructure - MetalCluster\/forge +True/);
    for (const name of MACHINES) {
      assert.match(text, new RegExp(`Machine/${name}`));
      assert.match(text, new RegExp(`BootstrapConfig - TalosConfig/${name} +True`));
      assert.match(text, new RegExp(`MachineInfrastructure - MetalMachine/${name} +True`));
    }
  });

  it('a dry run names what would move and changes nothing', async () => {
    before_ = essence(home);
    const text = await runAt(home, 'move', '--dry-run', '-v', '5');
    for (const object of [
      'Cluster="forge"',
      'MetalCluster="forge"',
      ...MACHINES.flatMap((n) => [
        `Machine="${n}"`,
        `MetalMachine="${n}"`,
        `TalosConfig="${n}"`,
        `Secret="${n}-bootstrap-data"`,
      ]),
      'Secret="forge-talos"',
      'Secret="forge-ca"',
      ...SERVERS.flatMap((n) => [`Server="${n}"`, `ServerBinding="${n}"`]),
    ]) {
      assert.ok(text.includes(`Creating ${object}`), `${object} is not in\n${text}`);
    }
    assert.deepEqual(essence(home), before_);
  });

  it('to another plane: the same objects there, and no machine is told anything', async () => {
    const told = orders();
    await runAt(home, 'move', '--to-kubeconfig', away.kubeconfig);
    await becomes(away, 'true true', ['get', 'metalmachines', '-o', 'jsonpath={.items[*].status.ready}']);
    await becomes(away, 'true', ['get', 'cluster', 'forge', '-o', 'jsonpath={.status.infrastructureReady}']);
    await becomes(away, 'true true', [
      'get',
      'talosconfigs',
      '-o',
      'jsonpath={.items[*].status.initialization.dataSecretCreated}',
    ]);
    assert.deepEqual(essence(away), before_);
    assert.equal(home.ok(['get', 'clusters,machines,metalmachines,talosconfigs', '-n', 'default', '-o', 'name']), '');
    await becomes(away, 'on on', ['get', 'servers', '-o', 'jsonpath={.items[*].status.power}']);
    assert.deepEqual(orders(), told);
  });

  it('the plane that it left keeps its hands off the machines', () => {
    const columns = 'jsonpath={range .items[*]}{.status.inUse} {.status.released}{"\\n"}{end}';
    assert.equal(home.ok(['get', 'servers', '-o', columns]), 'true \ntrue \n');
  });

  it('not even when somebody cleans up there', async () => {
    const told = orders();
    home.ok(['delete', 'serverbinding', SERVERS[0] ?? '']);
    const phase = ['get', 'server', SERVERS[0] ?? '', '-o', 'jsonpath={.status.phase} {.status.waitingFor}'];
    await becomes(home, 'Parked confirmation of the release', phase);
    assert.deepEqual(orders(), told);
  });

  it('and back again', async () => {
    const told = orders();
    seeNodes(away);
    await runAt(away, 'move', '--to-kubeconfig', home.kubeconfig);
    await becomes(home, 'true true', ['get', 'metalmachines', '-o', 'jsonpath={.items[*].status.ready}']);
    assert.deepEqual(essence(home), before_);
    assert.deepEqual(orders(), told);
  });

  it('through files to a third, which has to be given nothing but them', async () => {
    const told = orders();
    seeNodes(home);
    const directory = mkdtempSync(join(tmpdir(), 'bloomery-move-'));
    await runAt(home, 'move', '--to-directory', directory);
    assert.ok(readdirSync(directory).includes('Cluster_default_forge.yaml'));
    assert.equal(home.ok(['get', 'cluster', 'forge', '-o', 'jsonpath={.spec.paused}']), '');
    const plane = await startServe();
    const third = sideOf(plane.kubeconfig);
    try {
      await runClusterctl('move', '--from-directory', directory, '--to-kubeconfig', third.kubeconfig);
      await becomes(third, 'true true', ['get', 'metalmachines', '-o', 'jsonpath={.items[*].status.ready}']);
      assert.deepEqual(essence(third), before_);
      assert.deepEqual(orders(), told);
    } finally {
      await plane.stop();
    }
  });
});
