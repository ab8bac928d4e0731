import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { KUBECTLS, kubectl } from '../testing/kubectl.ts';
import { type ManagedMachine, startManagedMachine } from '../testing/managed-machine.ts';
import { eventually, peer, startPeer } from '../testing/peer-process.ts';
import { type ServeProcess, startServe } from '../testing/serve-process.ts';

const CLUSTER = `
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata: {name: forge, namespace: default}
spec:
  controlPlaneEndpoint: {host: 127.0.0.1, port: 1}
  infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3, kind: MetalCluster, name: forge}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3
kind: MetalCluster
metadata: {name: forge, namespace: default}
spec: {controlPlaneEndpoint: {host: 127.0.0.1, port: 1}}
`;
const machineOf = (name: string, type: 'controlplane' | 'worker'): string => `
---
apiVersion: cluster.x-k8s.io/v1beta1
kind: Machine
metadata:
  name: ${name}
  namespace: default
  labels: {cluster.x-k8s.io/cluster-name: forge${type === 'worker' ? '' : ', cluster.x-k8s.io/control-plane: ""'}}
spec:
  clusterName: forge
  version: v1.34.0
  bootstrap:
    configRef: {apiVersion: bootstrap.cluster.x-k8s.io/v1beta1, kind: TalosConfig, name: ${name}}
  infrastructureRef: {apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3, kind: MetalMachine, name: ${name}}
---
apiVersion: infrastructure.cluster.x-k8s.io/v1alpha3
kind: MetalMachine
metadata: {name: ${name}, namespace: default, labels: {cluster.x-k8s.io/cluster-name: forge}}
spec: {serverClassRef: {apiVersion: metal.sidero.dev/v1alpha2, kind: ServerClass, name: any}}
---
apiVersion: bootstrap.cluster.x-k8s.io/v1beta1
kind: TalosConfig
metadata: {name: ${name}, namespace: default, labels: {cluster.x-k8s.io/cluster-name: forge}}
spec: {generateType: ${type}, talosVersion: v1.11}
`;
const serverOf = (name: string, { endpoint }: ManagedMachine): string => `
---
apiVersion: metal.sidero.dev/v1alpha2
kind: Server
metadata: {name: ${name}}
spec: {accepted: true, managementApi: {endpoint: "${endpoint}"}}
`;

const SERVERS = ['00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002'];
const MACHINES = ['forge-1', 'forge-2'];
const clusterctl = peer('clusterctl');
const client = KUBECTLS[0] ?? { path: 'kubectl', missing: 'no kubectl' };
const missing = clusterctl.missing || client.missing;
const at = '2026-01-01T00:00:00Z';

/** A plane, as kubectl and clusterctl see it. */
interface Side {
  readonly plane: ServeProcess;
  readonly ok: (args: readonly string[], input?: string) => string;
}

async function startSide(): Promise<Side> {
  const plane = await startServe();
  return {
    plane,
    ok: (args, input) => {
      const result = kubectl(client.path, plane.kubeconfig, args, input === undefined ? {} : { input });
      assert.equal(result.code, 0, `kubectl ${args.join(' ')}: ${result.stderr}${result.stdout}`);
      return result.stdout;
    },
  };
}

async function run(...args: readonly string[]): Promise<string> {
  const tool = startPeer(clusterctl, args);
  const code = await new Promise((resolve) => tool.process.once('close', resolve));
  assert.equal(code, 0, `clusterctl ${args.join(' ')}: ${tool.stdout()}${tool.stderr()}`);
  return tool.stdout() + tool.stderr();
}

function runAt(side: Side, ...args: readonly string[]): Promise<string> {
  return run(...args, '--kubeconfig', side.plane.kubeconfig);
}

/** Everything about the objects of the cluster that must be the same on the other side. */
function essence(side: Side): readonly string[] {
  const kinds = 'clusters,metalclusters,machines,metalmachines,talosconfigs,secrets,servers,serverbindings';
  const { items } = JSON.parse(side.ok(['get', kinds, '-n', 'default', '-o', 'json'])) as {
    items: {
      kind: string;
      metadata: { name: string; ownerReferences?: { kind: string; name: string }[] };
      spec?: { metalMachineRef?: object };
      data?: object;
    }[];
  };
  return items
    .map(({ kind, metadata, spec, data }) => {
      const owners = (metadata.ownerReferences ?? []).map((owner) => `${owner.kind}/${owner.name}`).sort();
      const kept = spec?.metalMachineRef === undefined ? spec : { ...spec, metalMachineRef: undefined };
      const text = kept !== undefined ? JSON.stringify(kept) : isRenewed(metadata.name) ? 'renewed' : digest(data);
      return `${kind}/${metadata.name} of ${owners} ${text}`;
    })
    .sort();
}

/** The client certificate follows the addresses; tokens of a plane that gave its own away are made anew. */
function isRenewed(secret: string): boolean {
  return secret === 'forge-talosconfig' || secret.startsWith('siderolink');
}

function digest(data: object | undefined): string {
  return createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 12);
}

describe('real clusterctl move between two planes', { skip: missing }, () => {
  const machines: ManagedMachine[] = [];
  let home: Side;
  let away: Side;
  let before_: readonly string[];
  const orders = (): readonly (readonly string[])[] => machines.map((machine) => machine.orders());
  const status = (side: Side, object: string, patch: object): void => {
    side.ok([
      'patch',
      ...object.split(' '),
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status: patch }),
    ]);
  };
  const becomes = (side: Side, wanted: string, args: readonly string[]): Promise<unknown> => {
    let seen = '';
    return eventually(
      `${args.join(' ')} = ${wanted}`,
      () => {
        seen = side.ok(args);
        return seen === wanted;
      },
      () => `${seen}\n${side.ok(['get', 'clusters,machines,metalmachines,talosconfigs,servers', '-A'])}`,
    );
  };
  /** What only a workload cluster can tell. */
  const seeNodes = async (side: Side): Promise<void> => {
    const condition = { type: 'ControlPlaneInitialized', status: 'True', lastTransitionTime: at };
    const { conditions } = JSON.parse(side.ok(['get', 'cluster', 'forge', '-o', 'json'])).status;
    const others = conditions.filter((c: { type: string }) => c.type !== condition.type);
    status(side, 'cluster forge', { conditions: [...others, condition] });
    for (const name of MACHINES) status(side, `machine ${name}`, { nodeRef: { kind: 'Node', name } });
  };

  before(async () => {
    machines.push(await startManagedMachine(), await startManagedMachine());
    [home, away] = await Promise.all([startSide(), startSide()]);
    home.ok(['apply', '-f', '-'], machines.map((machine, i) => serverOf(SERVERS[i] ?? '', machine)).join(''));
    // The agent's report.
    for (const name of SERVERS) status(home, `server ${name}`, { isClean: true });
    home.ok(['apply', '-f', '-'], CLUSTER + machineOf('forge-1', 'controlplane') + machineOf('forge-2', 'worker'));
    await becomes(home, 'true true', ['get', 'metalmachines', '-o', 'jsonpath={.items[*].status.ready}']);
    for (const [i, name] of SERVERS.entries()) {
      await becomes(home, 'on', ['get', 'server', name, '-o', 'jsonpath={.status.power}']);
      const reports = ['TalosConfigLoaded', 'TalosConfigValidated', 'TalosInstalled'];
      status(home, `serverbinding ${name}`, {
        conditions: reports.map((type) => ({ type, status: 'True', lastTransitionTime: at })),
      });
      const spec = { addresses: [`10.5.0.${i + 1}`], hostname: `forge-${i + 1}` };
      home.ok(['patch', 'serverbinding', name, '--type=merge', '-p', JSON.stringify({ spec })]);
    }
    await becomes(home, 'Running Running', ['get', 'metalmachines', '-o', 'jsonpath={.items[*].status.phase}']);
    await seeNodes(home);
  });
  after(async () => {
    await Promise.all([home?.plane.stop(), away?.plane.stop(), ...machines.map((m) => m[Symbol.asyncDispose]())]);
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
    await runAt(home, 'move', '--to-kubeconfig', away.plane.kubeconfig);
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

  it('and back again', async () => {
    const told = orders();
    await seeNodes(away);
    await runAt(away, 'move', '--to-kubeconfig', home.plane.kubeconfig);
    await becomes(home, 'true true', ['get', 'metalmachines', '-o', 'jsonpath={.items[*].status.ready}']);
    assert.deepEqual(essence(home), before_);
    assert.deepEqual(orders(), told);
  });

  it('through files to a third, which has to be given nothing but them', async () => {
    const told = orders();
    await seeNodes(home);
    const directory = mkdtempSync(join(tmpdir(), 'bloomery-move-'));
    await runAt(home, 'move', '--to-directory', directory);
    assert.ok(readdirSync(directory).includes('Cluster_default_forge.yaml'));
    assert.equal(home.ok(['get', 'cluster', 'forge', '-o', 'jsonpath={.spec.paused}']), '');
    const third = await startSide();
    try {
      await run('move', '--from-directory', directory, '--to-kubeconfig', third.plane.kubeconfig);
      await becomes(third, 'true true', ['get', 'metalmachines', '-o', 'jsonpath={.items[*].status.ready}']);
      assert.deepEqual(essence(third), before_);
      assert.deepEqual(orders(), told);
    } finally {
      await third.plane.stop();
    }
  });
});
