import type { Controller, ReconcileContext } from '@bloomery/kube';
import { findObject, patchStatus, setFinalizer } from '@bloomery/kube';
import type { JsonObject, KindDefinition, KubeObject, Machine } from '@bloomery/model';
import {
  apiVersionOf,
  cluster,
  FINALIZERS,
  keyOf,
  machine,
  machineDeployment,
  machineSet,
  metalMachine,
  metalMachineTemplate,
  talosConfig,
  talosConfigTemplate,
  talosControlPlane,
} from '@bloomery/model';
import type { RandomBytes } from '@bloomery/ports';

export const NAMESPACE = 'default';
export const at = (name: string) => ({ name, namespace: NAMESPACE });

/** An object to start a test with. */
export function seed(kind: KindDefinition, name: string, body: JsonObject = {}, metadata: JsonObject = {}) {
  const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { ...at(name), ...metadata }, ...body };
  return { kind, object: object as KubeObject };
}

export const ref = (kind: KindDefinition, name: string) => ({
  apiVersion: apiVersionOf(kind),
  kind: kind.kind,
  name,
  namespace: NAMESPACE,
});

/** A Cluster `c` whose control plane stands, and templates `t` for workers. */
export const clusterSeeds = [
  seed(
    cluster,
    'c',
    {
      spec: { controlPlaneRef: ref(talosControlPlane, 'cp') },
      status: {
        infrastructureReady: true,
        conditions: ['ControlPlaneInitialized', 'InfrastructureReady'].map((type) => ({
          type,
          status: 'True',
          lastTransitionTime: '2023-01-01T00:00:00Z',
        })),
      },
    },
    { uid: 'uid-c' },
  ),
  seed(
    talosControlPlane,
    'cp',
    { spec: { version: 'v1.32.0' }, status: { version: 'v1.32.0' } },
    { labels: { 'cluster.x-k8s.io/cluster-name': 'c' } },
  ),
  seed(metalMachineTemplate, 't', {
    spec: { template: { metadata: { labels: { rack: 'one' } }, spec: { serverClassRef: { name: 'any' } } } },
  }),
  seed(talosConfigTemplate, 't', { spec: { template: { spec: { generateType: 'worker' } } } }),
];

const LABELS = { 'cluster.x-k8s.io/cluster-name': 'c' };

/** A template of Machines made from the templates `t`. */
export function machineTemplate(labels: JsonObject, spec: JsonObject = {}): JsonObject {
  return {
    metadata: { labels: { ...LABELS, ...labels } },
    spec: {
      clusterName: 'c',
      version: 'v1.32.0',
      bootstrap: { configRef: ref(talosConfigTemplate, 't') },
      infrastructureRef: ref(metalMachineTemplate, 't'),
      ...spec,
    },
  };
}

/** A MachineSet `ms` of the Cluster `c`, as its defaults would leave it. */
export function machineSetSeed(replicas: number, spec: JsonObject = {}, metadata: JsonObject = {}) {
  const labels = { 'cluster.x-k8s.io/set-name': 'ms' };
  return seed(
    machineSet,
    'ms',
    {
      spec: {
        clusterName: 'c',
        replicas,
        selector: { matchLabels: labels },
        template: machineTemplate(labels),
        ...spec,
      },
    },
    { labels: LABELS, uid: 'uid-ms', ...metadata },
  );
}

/** A MachineDeployment `md` of the Cluster `c`, as its defaults would leave it. */
export function machineDeploymentSeed(replicas: number, spec: JsonObject = {}, metadata: JsonObject = {}) {
  const labels = { 'cluster.x-k8s.io/deployment-name': 'md' };
  return seed(
    machineDeployment,
    'md',
    {
      spec: {
        clusterName: 'c',
        replicas,
        minReadySeconds: 0,
        revisionHistoryLimit: 1,
        progressDeadlineSeconds: 600,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        selector: { matchLabels: { ...LABELS, ...labels } },
        template: machineTemplate(labels),
        ...spec,
      },
    },
    { labels: LABELS, uid: 'uid-md', ...metadata },
  );
}

/** Random bytes that never repeat, the same in each run. */
export function countingBytes(): RandomBytes {
  let next = 0;
  return (length) => {
    const number = next++;
    return Uint8Array.from({ length }, (_, i) => Math.floor(number / 27 ** (length - 1 - i)) % 27);
  };
}

/** Machines whose Node never becomes ready, and those that stay when they are deleted, by name. */
export interface FakeNodes {
  readonly broken: Set<string>;
  readonly stuck: Set<string>;
}

/**
 * In place of the controller of Machine and all behind it: a Machine that has its infrastructure and bootstrap config becomes
 * a ready Node at once; a deleted one takes both with it.
 */
export function createFakeNodes(fake: FakeNodes = { broken: new Set(), stuck: new Set() }): Controller<Machine> {
  const owned = [metalMachine, talosConfig] as const;
  return {
    name: 'fake-nodes',
    kind: machine,
    watches: owned.map((kind) => ({
      kind,
      map: ({ metadata }: KubeObject) => [at(metadata.name)],
    })),
    writes: [],
    async reconcile(key, context) {
      const found = await findObject(context.client, machine, key);
      if (found === undefined) return {};
      const parts = await Promise.all(owned.map((kind) => findObject<KubeObject>(context.client, kind, key)));
      if (found.metadata.deletionTimestamp === undefined) await start(found, parts, fake, context);
      else if (!fake.stuck.has(key.name)) await end(found, context);
      return {};
    },
  };
}

async function start(
  found: Machine,
  parts: readonly (KubeObject | undefined)[],
  { broken }: FakeNodes,
  context: ReconcileContext,
): Promise<void> {
  const { name } = found.metadata;
  const isUp = parts.every((part) => part !== undefined) && !broken.has(name);
  const status = isUp ? 'True' : 'False';
  await patchStatus(context, machine, keyOf(found), () => ({
    infrastructureReady: isUp,
    bootstrapReady: isUp,
    ...(isUp ? { nodeRef: { name: `node-${name}` } } : {}),
    conditions: [
      { type: 'InfrastructureReady', status },
      { type: 'NodeHealthy', status },
      isUp
        ? { type: 'Ready', status }
        : { type: 'Ready', status, reason: 'NoServerAvailable', message: 'no Server is free' },
    ],
  }));
}

async function end(found: Machine, { client }: ReconcileContext): Promise<void> {
  for (const kind of [metalMachine, talosConfig] as const) {
    if ((await findObject<KubeObject>(client, kind, keyOf(found))) !== undefined)
      await client.delete<KubeObject>(kind, keyOf(found));
  }
  await setFinalizer(client, machine, keyOf(found), FINALIZERS.machine, 'absent');
}
