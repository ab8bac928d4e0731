import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { KUBECTLS, kubectl } from './kubectl.ts';
import type { ManagedMachine } from './managed-machine.ts';
import { eventually, peer, startPeer } from './peer-process.ts';

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

/** Names of the Servers; their machines are handed to `bindCluster` in this order. */
export const SERVERS = ['00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002'];
/** Names of the Machines, and of their MetalMachines and TalosConfigs. */
export const MACHINES = ['forge-1', 'forge-2'];
const clusterctl = peer('clusterctl');
const client = KUBECTLS[0] ?? { path: 'kubectl', missing: 'no kubectl' };
/** Why none of this can be done here, or false. */
export const moveIsMissing = clusterctl.missing || client.missing;
const at = '2026-01-01T00:00:00Z';

/** A management cluster, as kubectl and clusterctl see it. */
export interface Side {
  readonly kubeconfig: string;
  readonly ok: (args: readonly string[], input?: string) => string;
}

/** The management cluster of a kubeconfig. */
export function sideOf(kubeconfig: string): Side {
  return {
    kubeconfig,
    ok: (args, input) => {
      const result = kubectl(client.path, kubeconfig, args, input === undefined ? {} : { input });
      assert.equal(result.code, 0, `kubectl ${args.join(' ')}: ${result.stderr}${result.stdout}`);
      return result.stdout;
    },
  };
}

/** Run clusterctl; it must not fail. */
export async function runClusterctl(...args: readonly string[]): Promise<string> {
  const tool = startPeer(clusterctl, args);
  const code = await new Promise((resolve) => tool.process.once('close', resolve));
  assert.equal(code, 0, `clusterctl ${args.join(' ')}: ${tool.stdout()}${tool.stderr()}`);
  return tool.stdout() + tool.stderr();
}

/** Run it against a management cluster. */
export function runAt(side: Side, ...args: readonly string[]): Promise<string> {
  return runClusterctl(...args, '--kubeconfig', side.kubeconfig);
}

/** Wait until kubectl prints this. */
export function becomes(side: Side, wanted: string, args: readonly string[]): Promise<unknown> {
  let seen = '';
  return eventually(
    `${args.join(' ')} = ${wanted}`,
    () => {
      seen = side.ok(args);
      return seen === wanted;
    },
    () => `${seen}\n${side.ok(['get', 'clusters,machines,metalmachines,talosconfigs,servers', '-A'])}`,
  );
}

function setStatus(side: Side, object: string, patch: object): void {
  const body = JSON.stringify({ status: patch });
  side.ok(['patch', ...object.split(' '), '--subresource=status', '--type=merge', '-p', body]);
}

/** What only a workload cluster can tell. */
export function seeNodes(side: Side): void {
  const condition = { type: 'ControlPlaneInitialized', status: 'True', lastTransitionTime: at };
  const { conditions } = JSON.parse(side.ok(['get', 'cluster', 'forge', '-o', 'json'])).status;
  const others = conditions.filter((c: { type: string }) => c.type !== condition.type);
  setStatus(side, 'cluster forge', { conditions: [...others, condition] });
  for (const name of MACHINES) setStatus(side, `machine ${name}`, { nodeRef: { kind: 'Node', name } });
}

/** Make a cluster of a control plane machine and a worker on Servers with power switches, and tell what its machines would tell. */
export async function bindCluster(side: Side, machines: readonly ManagedMachine[]): Promise<void> {
  side.ok(['apply', '-f', '-'], machines.map((machine, i) => serverOf(SERVERS[i] ?? '', machine)).join(''));
  // The agent's report.
  for (const name of SERVERS) setStatus(side, `server ${name}`, { isClean: true });
  side.ok(['apply', '-f', '-'], CLUSTER + machineOf('forge-1', 'controlplane') + machineOf('forge-2', 'worker'));
  await becomes(side, 'true true', ['get', 'metalmachines', '-o', 'jsonpath={.items[*].status.ready}']);
  for (const [i, name] of SERVERS.entries()) {
    await becomes(side, 'on', ['get', 'server', name, '-o', 'jsonpath={.status.power}']);
    const reports = ['TalosConfigLoaded', 'TalosConfigValidated', 'TalosInstalled'];
    setStatus(side, `serverbinding ${name}`, {
      conditions: reports.map((type) => ({ type, status: 'True', lastTransitionTime: at })),
    });
    const spec = { addresses: [`10.5.0.${i + 1}`], hostname: `forge-${i + 1}` };
    side.ok(['patch', 'serverbinding', name, '--type=merge', '-p', JSON.stringify({ spec })]);
  }
  await becomes(side, 'Running Running', ['get', 'metalmachines', '-o', 'jsonpath={.items[*].status.phase}']);
  seeNodes(side);
}

/** Everything about the objects of the cluster that must be the same on the other side. */
export function essence(side: Side): readonly string[] {
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
