import { randomBytes } from 'node:crypto';
import { createObjectCache, type EventDraft, type ReconcileContext } from '@bloomery/kube';
import { createMemoryClient, type MemoryClient } from '@bloomery/kube/testing';
import {
  ANNOTATIONS,
  allKinds,
  cluster,
  type JsonObject,
  type KubeObject,
  type Machine,
  machine,
  metalMachine,
  metalMachineTemplate,
  type Node,
  secret,
  type TalosControlPlane,
  talosConfig,
  talosControlPlane,
} from '@bloomery/model';
import { createFakeClock, type FakeClock, silentLog } from '@bloomery/ports';
import { createSecretsBundle, parseVersionContract, writeSecretsBundle } from '@bloomery/talos';
import type { WorkloadClusters } from '../../workload/workload-clusters.ts';
import { createTalosControlPlaneController } from '../reconcile.ts';
import { SimulatedEtcd, type SimulatedMachine, type Violations } from './simulated-etcd.ts';
import { createSimulatedTalos } from './simulated-talos.ts';

const at = (name: string) => ({ name, namespace: 'default' });
const KEY = at('cp');
const HELD = 'machine.cluster.x-k8s.io';

let bundle: Promise<string> | undefined;

/** One for all simulations: what is in it does not matter. */
function bundleText(): Promise<string> {
  bundle ??= createSecretsBundle({
    contract: parseVersionContract('v1.6'),
    nowMs: Date.UTC(2026, 0, 1),
    random: randomBytes,
  }).then(writeSecretsBundle);
  return bundle;
}

export interface SimulationOptions {
  readonly replicas: number;
  /** Servers in the rack; without a free one infrastructure says so. */
  readonly servers?: number;
  readonly maxSurge?: number;
  /** Throws to interrupt the controller: `what` is an effect, `applied` whether it took place. */
  readonly effect?: (what: string, applied: boolean) => void;
}

/** A control plane with its machines, etcd, a plain core controller and Nodes, in virtual time. */
export interface Simulation {
  readonly client: MemoryClient;
  readonly clock: FakeClock;
  readonly etcd: SimulatedEtcd;
  readonly machines: Map<string, SimulatedMachine>;
  readonly violations: Violations;
  readonly events: readonly string[];
  /** Put the controller anew: nothing but objects and machines survives. */
  restart(): void;
  /** Let the controller work until it waits (or fails), then a second pass in the world. Returns false when it failed. */
  step(): Promise<boolean>;
  /** Step until `done` says so. @throws after 600 steps */
  until(what: string, done: () => Promise<boolean>): Promise<void>;
  spec(patch: JsonObject): Promise<void>;
  controlPlane(): Promise<TalosControlPlane | undefined>;
  list(): Promise<readonly Machine[]>;
  /** Set condition OwnerRemediated as a MachineHealthCheck does. */
  giveUp(name: string): Promise<void>;
}

export async function startSimulation(options: SimulationOptions): Promise<Simulation> {
  const clock = createFakeClock(Date.UTC(2026, 0, 2));
  const machines = new Map<string, SimulatedMachine>();
  const violations: Violations = [];
  const events: string[] = [];
  const etcd = new SimulatedEtcd(machines, violations);
  let working = false;
  const effect = (what: string, applied: boolean): void => {
    if (working) options.effect?.(what, applied);
  };
  const client = createMemoryClient({
    clock,
    objects: seeds(options, await bundleText()),
    intercept: (verb, kind, key, applied) => {
      if (verb !== 'get' && verb !== 'list' && verb !== 'watch') effect(`${verb} ${kind.kind} ${key}`, applied);
    },
  });
  const list = async (): Promise<readonly Machine[]> => (await client.list(machine)).items;
  const talos = createSimulatedTalos(machines, etcd, effect);
  const nodes = (): readonly Node[] => [...machines.values()].filter((m) => etcd.isRunning(m)).map(nodeOf);
  const workload: WorkloadClusters = {
    state: () => (etcd.hasQuorum() ? { state: 'reachable' } : { state: 'connecting' }),
    nodes: () => (etcd.hasQuorum() ? nodes() : undefined),
    nodeByProviderId: () => undefined,
    client: () => client,
    wake: () => ({ listen: () => () => {} }),
    [Symbol.asyncDispose]: async () => {},
  };
  const context: ReconcileContext = {
    client,
    cache: createObjectCache(),
    clock,
    log: silentLog,
    signal: new AbortController().signal,
    events: {
      record: ({ kind, metadata }: KubeObject, { reason }: EventDraft) =>
        events.push(`${kind} ${metadata.name}: ${reason}`),
    },
  };
  const make = () =>
    createTalosControlPlaneController({
      talos,
      workload,
      clock,
      random: randomBytes,
      finalConfig: async (_machine, value) => value,
      kinds: {
        cache: context.cache,
        followed: { follow: async () => {}, listen: () => () => {} },
        resolver: {
          listen: () => () => {},
          resolve: async ({ kind }) => {
            const found = allKinds.find((k) => k.storage && k.kind === kind);
            return found && { kind: found, contract: 'v1beta1', served: [found.version] };
          },
        },
      },
    });
  let controller = make();
  const work = async (): Promise<boolean> => {
    working = true;
    try {
      for (let i = 0; i < 40; i++) {
        const { afterMs } = await controller.reconcile(KEY, context);
        if (afterMs !== 0) return true;
        await checkCounts();
      }
      violations.push('the controller changed something forty times without a pause');
      return true;
    } catch {
      return false;
    } finally {
      working = false;
    }
  };
  const checkCounts = async (): Promise<void> => {
    const count = (await list()).length;
    if (etcd.members.length > count + 1) violations.push(`${etcd.members.length} members and ${count} machines`);
    if (etcd.bootstraps > 1) violations.push('etcd was bootstrapped twice');
  };
  const simulation: Simulation = {
    client,
    clock,
    etcd,
    machines,
    violations,
    events,
    restart: () => {
      controller = make();
    },
    async step() {
      const ok = await work();
      await coreTick({ client, etcd, machines, servers: options.servers ?? 99 });
      etcd.tick();
      await clock.advance(1000);
      await checkCounts();
      return ok;
    },
    async until(what, done) {
      for (let i = 0; i < 600; i++) {
        if (await done()) return;
        if (!(await simulation.step())) simulation.restart();
      }
      const { status } = (await simulation.controlPlane()) ?? {};
      const said = status?.conditions
        ?.map((c) => `${c.type}=${c.status} ${c.reason ?? ''} ${c.message ?? ''}`)
        .join('\n');
      throw new Error(`${what} did not come true: ${status?.waitingFor}\n${said}\n${events.slice(-30).join('\n')}`);
    },
    spec: async (patch) => {
      await client.patch(talosControlPlane, KEY, { type: 'merge', body: { spec: patch } });
    },
    controlPlane: async () => (await client.list(talosControlPlane)).items[0],
    list,
    giveUp: async (name) => {
      const conditions = [
        {
          type: 'OwnerRemediated',
          status: 'False',
          reason: 'WaitingForRemediation',
          lastTransitionTime: '2026-01-02T00:00:00Z',
        },
      ];
      const body = { status: { conditions } };
      await client.patch(machine, at(name), { type: 'merge', body }, { subresource: 'status' });
    },
  };
  return simulation;
}

function seeds({ replicas, maxSurge = 1 }: SimulationOptions, text: string) {
  const owner = {
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'Cluster',
    name: 'c',
    uid: 'cluster-uid',
    controller: true,
  };
  const template = {
    apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
    kind: 'MetalMachineTemplate',
    name: 't',
    namespace: 'default',
  };
  return [
    {
      kind: cluster,
      object: {
        apiVersion: 'cluster.x-k8s.io/v1beta1',
        kind: 'Cluster',
        metadata: { ...at('c'), uid: 'cluster-uid' },
        spec: { controlPlaneEndpoint: { host: '10.0.0.1', port: 6443 } },
        status: { infrastructureReady: true },
      } as KubeObject,
    },
    {
      kind: metalMachineTemplate,
      object: {
        apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
        kind: 'MetalMachineTemplate',
        metadata: at('t'),
        spec: { template: { spec: { serverClassRef: { name: 'any' } } } },
      } as KubeObject,
    },
    {
      kind: secret,
      object: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: at('c-talos'),
        data: { bundle: Buffer.from(text).toString('base64') },
      } as KubeObject,
    },
    {
      kind: talosControlPlane,
      object: {
        apiVersion: 'controlplane.cluster.x-k8s.io/v1alpha3',
        kind: 'TalosControlPlane',
        metadata: { ...KEY, ownerReferences: [owner] },
        spec: {
          replicas,
          version: 'v1.32.0',
          infrastructureTemplate: template,
          controlPlaneConfig: { controlplane: { generateType: 'controlplane' } },
          rolloutStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge } },
        },
      } as KubeObject,
    },
  ];
}

function nodeOf({ name }: SimulatedMachine): Node {
  const metadata = { name, labels: { 'node-role.kubernetes.io/control-plane': '' } };
  return { apiVersion: 'v1', kind: 'Node', metadata, status: { conditions: [{ type: 'Ready', status: 'True' }] } };
}

interface CoreWorld {
  readonly client: MemoryClient;
  readonly etcd: SimulatedEtcd;
  readonly machines: Map<string, SimulatedMachine>;
  readonly servers: number;
}

/** What Cluster API core and an infrastructure provider do in a second, as little of it as matters here. */
async function coreTick(world: CoreWorld): Promise<void> {
  const { items } = await world.client.list(machine);
  for (const found of items) {
    if (found.metadata.deletionTimestamp !== undefined) await terminate(world, found);
    else await provide(world, found);
  }
}

async function terminate({ client, etcd, machines }: CoreWorld, { metadata }: Machine): Promise<void> {
  if (metadata.annotations?.[ANNOTATIONS.preTerminateHook] !== undefined) return;
  const simulated = machines.get(metadata.name);
  if (simulated !== undefined) {
    const isMember = etcd.members.some(({ id }) => id === simulated.memberId);
    etcd.guarded(`taking ${metadata.name} away${isMember ? ' as a member' : ''}`, () => machines.delete(metadata.name));
  }
  await client.delete(metalMachine, at(metadata.name)).catch(() => undefined);
  await client.delete(talosConfig, at(metadata.name)).catch(() => undefined);
  await client.patch(machine, at(metadata.name), { type: 'merge', body: { metadata: { finalizers: null } } });
}

async function provide({ client, etcd, machines, servers }: CoreWorld, found: Machine): Promise<void> {
  const { name, finalizers = [] } = found.metadata;
  const key = at(name);
  if (!finalizers.includes(HELD)) {
    await client.patch(machine, key, { type: 'merge', body: { metadata: { finalizers: [HELD] } } });
  }
  const status = async (kind: typeof machine | typeof metalMachine, body: JsonObject): Promise<void> => {
    await client.patch<KubeObject>(kind, key, { type: 'merge', body: { status: body } }, { subresource: 'status' });
  };
  if (!machines.has(name)) {
    const isFree = machines.size < servers;
    const reason = {
      type: 'Ready',
      status: 'False',
      reason: 'NoServerAvailable',
      message: '0 of the servers are free',
      lastTransitionTime: '2026-01-02T00:00:00Z',
    };
    await status(metalMachine, isFree ? { ready: true, conditions: [] } : { ready: false, conditions: [reason] });
    if (!isFree) return;
    const address = `10.1.${machines.size}.${Number.parseInt(found.metadata.uid?.slice(-4) ?? '0', 16) % 250}`;
    const made = {
      isOn: true,
      hasData: false,
      hasLeft: false,
      memberId: undefined,
      version: 'v1.11.0',
      rebootTicks: 0,
    };
    machines.set(name, { name, address, configs: [], ...made });
    await client.patch(machine, key, { type: 'merge', body: { spec: { providerID: `sim://${name}` } } });
    return;
  }
  const simulated = machines.get(name);
  const addresses = [{ type: 'InternalIP', address: simulated?.address ?? '' }];
  const hasNode = simulated !== undefined && etcd.isRunning(simulated);
  await status(machine, {
    addresses,
    bootstrapReady: true,
    infrastructureReady: true,
    ...(hasNode ? { nodeRef: { name } } : {}),
  });
}
