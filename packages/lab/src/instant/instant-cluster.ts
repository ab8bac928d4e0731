import { rm } from 'node:fs/promises';
import { type BoundAddress, type Clock, errorText, type Logger, type RandomBytes } from '@bloomery/ports';
import { type PemPair, TALOS_API_PORT } from '@bloomery/talos';
import { createFakeEtcd, type FakeEtcd, type FakeTalosNode, startFakeTalosNode } from '@bloomery/talos/testing';
import type { ClusterConfig } from '../stand-in/cluster-config.ts';
import { startWorkloadApi, type WorkloadApi } from '../workload-api/index.ts';
import { type InstantNode, registerNode, reportNode } from './instant-node.ts';
import { readInstantConfig } from './read-instant-config.ts';

/** What a simulated machine boots with. */
export interface InstantMachineSpec {
  readonly name: string;
  readonly address: string;
  readonly providerId: string;
  /** The machine configuration, YAML. */
  readonly config: string;
}

/** A simulated machine of a cluster. */
export interface InstantMachine extends InstantMachineSpec {
  /** Once its Talos API serves; a worker waits for a control plane to certify it. */
  readonly node: FakeTalosNode | undefined;
  readonly isOn: boolean;
  readonly hasJoined: boolean;
}

export interface InstantClusterDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  /** A directory of this cluster alone, for the objects of its Kubernetes API. */
  readonly dir: string;
  /** Between boot and each further step of a machine. */
  readonly stepDelayMs: number;
}

/** A simulated cluster: machines, their etcd, and the Kubernetes API that they serve together. */
export interface InstantCluster extends AsyncDisposable {
  readonly etcd: FakeEtcd;
  readonly machines: ReadonlyMap<string, InstantMachine>;
  /** Where its Kubernetes API serves while a majority of its etcd runs. */
  readonly endpoint: BoundAddress;
  /** In process; undefined while it is down. */
  readonly api: WorkloadApi | undefined;
  /** Boot a machine. Nothing happens when it was booted before. */
  boot(spec: InstantMachineSpec): Promise<void>;
  /** The machine is gone for ever. */
  remove(name: string): Promise<void>;
  /** Power off or on; its Node shows it. */
  setPower(name: string, power: 'on' | 'off'): Promise<void>;
  /** Its etcd fails, or runs again. */
  setEtcd(name: string, etcd: 'running' | 'stopped'): void;
  /** The Kubernetes API is unreachable, or serves again as soon as it can. */
  setApi(api: 'up' | 'down'): Promise<void>;
  /** Resolves when everything that follows from what happened so far has happened, but for delays. */
  settled(): Promise<void>;
}

interface Machine extends InstantMachineSpec {
  readonly cluster: ClusterConfig;
  node: FakeTalosNode | undefined;
  isOn: boolean;
  hasJoined: boolean;
  mayJoin: boolean;
  /** What the Node said last. */
  reported: string;
}

const RETRY_MS = 1_000;

/** A cluster without machines. */
export function createInstantCluster(endpoint: BoundAddress, deps: InstantClusterDeps): InstantCluster {
  const etcd = createFakeEtcd();
  const machines = new Map<string, Machine>();
  const world: World = {
    etcd,
    machines,
    endpoint,
    deps,
    api: undefined,
    isApiForcedDown: false,
    isOver: false,
    changed: () => {},
  };
  let work = Promise.resolve();
  let isQueued = false;
  let lastTrouble = '';
  const settle = (): Promise<void> => {
    if (isQueued) return work;
    isQueued = true;
    work = work.then(async () => {
      isQueued = false;
      await look(world).catch((error: unknown) => {
        const why = errorText(error);
        if (why !== lastTrouble) deps.log.warn('instant.settling_failed', { endpoint: endpoint.host, error: why });
        lastTrouble = why;
        deps.clock.after(RETRY_MS, () => void settle());
      });
    });
    return work;
  };
  world.changed = () => void settle();
  const unlisten = etcd.onChange(world.changed);
  const { boot, remove } = machineLife(world, settle);
  return {
    etcd,
    machines,
    endpoint,
    get api() {
      return world.api;
    },
    boot,
    remove,
    setPower: async (name, power) => {
      const machine = machines.get(name);
      if (machine === undefined || machine.isOn === (power === 'on')) return;
      machine.isOn = power === 'on';
      if (power === 'on') await machine.node?.powerOn();
      else await machine.node?.powerOff();
      await settle();
    },
    setEtcd: (name, wanted) => {
      const member = machines.get(name)?.node?.etcd;
      if (wanted === 'stopped' && member?.isRunning() === true) member.stop();
      if (wanted === 'running' && machines.get(name)?.isOn === true && member?.isRunning() === false) member.start();
    },
    setApi: async (api) => {
      if (world.isApiForcedDown === (api === 'down')) return;
      world.isApiForcedDown = api === 'down';
      await settle();
    },
    settled: settle,
    [Symbol.asyncDispose]: async () => {
      unlisten();
      world.isOver = true;
      await settle();
      for (const machine of machines.values()) await machine.node?.[Symbol.asyncDispose]();
      await rm(deps.dir, { recursive: true, force: true });
    },
  };
}

interface World {
  readonly etcd: FakeEtcd;
  readonly machines: Map<string, Machine>;
  readonly endpoint: BoundAddress;
  readonly deps: InstantClusterDeps;
  api: WorkloadApi | undefined;
  isApiForcedDown: boolean;
  isOver: boolean;
  /** Something happened to a machine that may be seen elsewhere. */
  changed: () => void;
}

function machineLife(world: World, settle: () => Promise<void>) {
  const { machines, deps } = world;
  return {
    boot: async (spec: InstantMachineSpec): Promise<void> => {
      if (machines.has(spec.name)) return settle();
      const machine: Machine = {
        ...spec,
        cluster: readInstantConfig(spec.config),
        node: undefined,
        isOn: true,
        hasJoined: false,
        mayJoin: deps.stepDelayMs === 0,
        reported: '',
      };
      machines.set(spec.name, machine);
      if (!machine.mayJoin) {
        deps.clock.after(deps.stepDelayMs, () => {
          machine.mayJoin = true;
          void settle();
        });
      }
      await settle();
    },
    remove: async (name: string): Promise<void> => {
      const machine = machines.get(name);
      if (machine === undefined) return;
      machine.isOn = false;
      await settle();
      machines.delete(name);
      await machine.node?.[Symbol.asyncDispose]();
      await settle();
    },
  };
}

/** Let everything happen that can happen now. Level-triggered: it may be called at any time. */
async function look(world: World): Promise<void> {
  const { machines, deps } = world;
  const authority = [...machines.values()].find(({ cluster }) => cluster.talosCa.key !== '')?.cluster.talosCa;
  for (const machine of machines.values()) {
    if (machine.node === undefined && machine.isOn && !world.isOver)
      machine.node = await startTalos(world, machine, authority);
  }
  await keepApi(world);
  const client = world.api?.client;
  if (client === undefined) return;
  for (const machine of machines.values()) {
    const told = nodeOf(machine);
    const text = JSON.stringify(told);
    if (machine.hasJoined ? text === machine.reported : !canJoin(machine)) continue;
    await (machine.hasJoined ? reportNode(client, told, deps.clock) : registerNode(client, told, deps.clock));
    machine.hasJoined = true;
    machine.reported = text;
  }
}

const canJoin = ({ isOn, mayJoin, node, cluster }: Machine): boolean =>
  isOn && mayJoin && (!cluster.isControlPlane || node?.etcd?.isMember() === true);

async function startTalos(
  world: World,
  machine: Machine,
  authority: PemPair | undefined,
): Promise<FakeTalosNode | undefined> {
  if (machine.cluster.talosCa.key === '' && authority === undefined) return undefined;
  const { etcd, deps } = world;
  const { clock, log } = deps;
  const { config, name: hostname, address } = machine;
  return await startFakeTalosNode({
    listen: { host: address, port: TALOS_API_PORT },
    config,
    etcd,
    clock,
    log,
    hostname,
    onOrder: () => world.changed(),
    ...(machine.cluster.talosCa.key === '' && authority !== undefined ? { authority } : {}),
  });
}

/** The API serves while a control plane is on and etcd has a majority. Its objects outlive that. */
async function keepApi(world: World): Promise<void> {
  const { etcd, machines, deps, endpoint, isApiForcedDown, isOver } = world;
  const serving = [...machines.values()].find(({ isOn, node }) => isOn && node?.etcd?.isRunning() === true)?.cluster;
  const isWanted = !isApiForcedDown && !isOver && serving !== undefined && etcd.hasQuorum();
  if (!isWanted) {
    const old = world.api;
    world.api = undefined;
    await old?.[Symbol.asyncDispose]();
    return;
  }
  world.api ??= await startWorkloadApi(
    {
      dir: deps.dir,
      listen: endpoint,
      names: [endpoint.host, 'kubernetes', 'kubernetes.default.svc'],
      ca: serving.kubernetesCa,
      serviceAccountKey: serving.serviceAccountKey,
      bootstrapToken: serving.bootstrapToken,
    },
    { ...deps, log: deps.log.with({ endpoint: endpoint.host }) },
  );
}

function nodeOf({ name, address, providerId, cluster, node, isOn }: Machine): InstantNode {
  const current = node === undefined ? cluster : readInstantConfig(node.machine.config());
  return {
    name,
    address,
    providerId,
    isControlPlane: cluster.isControlPlane,
    kubeletVersion: current.kubernetesVersion,
    talosVersion: node?.machine.talosVersion() ?? '',
    labels: current.nodeLabels,
    isReady: isOn,
  };
}
