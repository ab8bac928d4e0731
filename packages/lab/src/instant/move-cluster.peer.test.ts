import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import {
  eventually,
  KUBECTLS,
  kubectl,
  peer,
  type ServeProcess,
  startPeer,
  startServe,
} from '@bloomery/bloomery/testing';
import { createRemoteClient, isConditionTrue, loadKubeconfig, type RemoteClient } from '@bloomery/kube';
import { cluster, machine, machineDeployment, talosControlPlane } from '@bloomery/model';
import { silentLog, systemClock } from '@bloomery/ports';
import type { InstantCluster } from './instant-cluster.ts';
import type { InstantWorld } from './instant-world.ts';
import { type InstantMachines, startInstantMachines } from './start-instant-machines.ts';

const INFRASTRUCTURE = 'infrastructure.cluster.x-k8s.io/v1beta1';
const CLUSTER = `
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata: {name: forge, namespace: default}
spec:
  infrastructureRef: {apiVersion: ${INFRASTRUCTURE}, kind: FakeCluster, name: forge}
  controlPlaneRef: {apiVersion: controlplane.cluster.x-k8s.io/v1alpha3, kind: TalosControlPlane, name: forge-cp}
---
apiVersion: ${INFRASTRUCTURE}
kind: FakeCluster
metadata: {name: forge, namespace: default}
spec: {}
---
apiVersion: controlplane.cluster.x-k8s.io/v1alpha3
kind: TalosControlPlane
metadata: {name: forge-cp, namespace: default}
spec:
  version: v1.34.0
  replicas: 1
  infrastructureTemplate: {apiVersion: ${INFRASTRUCTURE}, kind: FakeMachineTemplate, name: forge}
  controlPlaneConfig: {controlplane: {generateType: controlplane, talosVersion: v1.11}}
---
apiVersion: ${INFRASTRUCTURE}
kind: FakeMachineTemplate
metadata: {name: forge, namespace: default}
spec: {template: {spec: {}}}
---
apiVersion: ${INFRASTRUCTURE}
kind: FakeMachineTemplate
metadata: {name: forge-workers, namespace: default}
spec: {template: {spec: {}}}
---
apiVersion: bootstrap.cluster.x-k8s.io/v1beta1
kind: TalosConfigTemplate
metadata: {name: forge-workers, namespace: default}
spec: {template: {spec: {generateType: worker, talosVersion: v1.11}}}
---
apiVersion: cluster.x-k8s.io/v1beta1
kind: MachineDeployment
metadata: {name: forge-workers, namespace: default}
spec:
  clusterName: forge
  replicas: 1
  selector: {matchLabels: null}
  template:
    spec:
      clusterName: forge
      version: v1.34.0
      bootstrap:
        configRef: {apiVersion: bootstrap.cluster.x-k8s.io/v1beta1, kind: TalosConfigTemplate, name: forge-workers}
      infrastructureRef: {apiVersion: ${INFRASTRUCTURE}, kind: FakeMachineTemplate, name: forge-workers}
`;
/** Kinds of the cluster that move, but for Secrets. */
const KINDS =
  'clusters,fakeclusters,taloscontrolplanes,machinedeployments,machinesets,machines,fakemachines,talosconfigs,fakemachinetemplates,talosconfigtemplates';
/** What changes a machine, or its etcd, when it is called. */
const DEEDS =
  /^(ApplyConfiguration|Bootstrap|Etcd(Forfeit|Leave|Remove)|Reboot|Reset|Restart|Rollback|Shutdown|Upgrade)/;

const clusterctl = peer('clusterctl');
const client = KUBECTLS[0] ?? { path: 'kubectl', missing: 'no kubectl' };

interface Side extends AsyncDisposable {
  readonly plane: ServeProcess;
  readonly remote: RemoteClient;
  readonly machines: InstantMachines;
  readonly ok: (args: readonly string[], input?: string) => string;
}

/** A plane, with the provider of the simulated machines beside it. */
async function startSide(world?: InstantWorld): Promise<Side> {
  const plane = await startServe();
  const remote: RemoteClient = createRemoteClient(await loadKubeconfig(plane.kubeconfig));
  const deps = { client: remote, clock: systemClock, log: silentLog, random: randomBytes };
  const machines = await startInstantMachines(world === undefined ? {} : { world }, deps);
  return {
    plane,
    remote,
    machines,
    ok: (args, input) => {
      const result = kubectl(client.path, plane.kubeconfig, args, input === undefined ? {} : { input });
      assert.equal(result.code, 0, `kubectl ${args.join(' ')}: ${result.stderr}${result.stdout}`);
      return result.stdout;
    },
    async [Symbol.asyncDispose]() {
      await machines[Symbol.asyncDispose]();
      await remote[Symbol.asyncDispose]();
      await plane.stop();
    },
  };
}

interface Item {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly ownerReferences?: readonly { kind: string; name: string }[] };
  readonly spec?: object;
  readonly data?: object;
}

/** Kind, name, owners and wishes of everything that belongs to the cluster. */
function essence(side: Side): readonly string[] {
  const read = (kinds: string): readonly Item[] => JSON.parse(side.ok(['get', kinds, '-o', 'json'])).items;
  const secrets = read('secrets').filter(({ metadata }) => metadata.name.startsWith('forge'));
  return [...read(KINDS), ...secrets]
    .map(({ kind, metadata, spec, data }) => {
      const owners = (metadata.ownerReferences ?? []).map((owner) => `${owner.kind}/${owner.name}`).sort();
      // The client certificate follows the addresses of machines.
      const shown = metadata.name === 'forge-talosconfig' ? undefined : (spec ?? data);
      const digest = createHash('sha256')
        .update(JSON.stringify(shown ?? ''))
        .digest('hex')
        .slice(0, 12);
      return `${kind}/${metadata.name} of ${owners} ${digest}`;
    })
    .sort();
}

describe('real clusterctl with a whole cluster of simulated machines', {
  skip: clusterctl.missing || client.missing,
}, () => {
  let home: Side;
  let away: Side;
  let simulated: InstantCluster;
  let wishes: readonly string[];

  const run = async (side: Side, ...args: readonly string[]): Promise<string> => {
    const tool = startPeer(clusterctl, [...args, '--kubeconfig', side.plane.kubeconfig]);
    const code = await new Promise((resolve) => tool.process.once('close', resolve));
    assert.equal(code, 0, `clusterctl ${args.join(' ')}: ${tool.stdout()}${tool.stderr()}`);
    return tool.stdout() + tool.stderr();
  };
  const deeds = (): readonly string[] =>
    [...simulated.machines.values()].flatMap(({ name, node, isOn }) => [
      ...(node?.calls ?? []).flatMap(({ method }) => (DEEDS.test(method) ? [`${name} ${method}`] : [])),
      ...(node?.orders ?? []).map((order) => `${name} ordered ${JSON.stringify(order)}`),
      ...(isOn ? [] : [`${name} is off`]),
    ]);
  // Not by kubectl: the machines live in this process, and could not answer while it waits for a program.
  const isComplete = async ({ remote, ok, plane }: Side, workers = 1): Promise<void> => {
    await eventually(
      'the cluster is whole',
      async () => {
        const in_ = { namespace: 'default' };
        const [found, controlPlane, machines, deployment] = await Promise.all([
          remote.get(cluster, { ...in_, name: 'forge' }),
          remote.get(talosControlPlane, { ...in_, name: 'forge-cp' }),
          remote.list(machine, in_),
          remote.get(machineDeployment, { ...in_, name: 'forge-workers' }),
        ]);
        return (
          found.status?.controlPlaneReady === true &&
          found.status.infrastructureReady === true &&
          isConditionTrue(found.status.conditions, 'ControlPlaneInitialized') &&
          controlPlane.status?.bootstrapped === true &&
          machines.items.length === 1 + workers &&
          machines.items.every(({ status }) => status?.phase === 'Running' && status.nodeRef !== undefined) &&
          deployment.status?.readyReplicas === workers
        );
      },
      () => `${ok(['get', KINDS])}\n${plane.stderr().split('\n').slice(-15).join('\n')}`,
    );
  };

  before(async () => {
    home = await startSide();
    away = await startSide(home.machines.world);
    home.ok(['apply', '-f', '-'], CLUSTER);
    await isComplete(home);
    const found = home.machines.world.cluster({ namespace: 'default', name: 'forge' });
    assert.ok(found !== undefined);
    simulated = found;
    wishes = essence(home);
  });
  after(async () => {
    await away?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  it('describes it down to machines of a kind that a user installed', async () => {
    const text = await run(
      home,
      'describe',
      'cluster',
      'forge',
      '--show-conditions',
      'all',
      '--echo',
      '--grouping=false',
    );
    for (const line of [
      /Cluster\/forge +True/,
      /ClusterInfrastructure - FakeCluster\/forge/,
      /ControlPlane - TalosControlPlane\/forge-cp +True/,
      /Workers/,
      /MachineDeployment\/forge-workers +True/,
      /BootstrapConfig - TalosConfig\/forge-workers-\S+ +True/,
      /MachineInfrastructure - FakeMachine\/forge-workers-/,
    ])
      assert.match(text, line);
    assert.doesNotMatch(text, / False /);
  });

  it('gets its kubeconfig', async () => {
    assert.match(await run(home, 'get', 'kubeconfig', 'forge'), /current-context: forge-admin@forge/);
  });

  it('moves it away: the same objects, whole again by themselves, and no machine was touched', async () => {
    const before_ = deeds();
    assert.equal(before_.filter((deed) => deed.endsWith(' Bootstrap')).length, 1);
    await run(home, 'move', '--to-kubeconfig', away.plane.kubeconfig);
    await isComplete(away);
    assert.deepEqual(essence(away), wishes);
    assert.deepEqual(deeds(), before_);
    assert.equal(home.ok(['get', KINDS, '-o', 'name']), '');
  });

  it('moves it back, where it goes on growing', async () => {
    const before_ = deeds();
    await run(away, 'move', '--to-kubeconfig', home.plane.kubeconfig);
    await isComplete(home);
    assert.deepEqual(essence(home), wishes);
    assert.deepEqual(deeds(), before_);
    home.ok(['scale', 'machinedeployment', 'forge-workers', '--replicas', '2']);
    await isComplete(home, 2);
    assert.deepEqual(deeds(), before_);
  });
});
