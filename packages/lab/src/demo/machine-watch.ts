import {
  type ClusterAccess,
  createObjectCache,
  createRemoteClient,
  type RemoteClient,
  runInformer,
} from '@bloomery/kube';
import {
  cluster,
  type Machine,
  type MetalMachine,
  machine,
  machineDeployment,
  metalMachine,
  type ServerBinding,
  server,
  serverBinding,
  talosControlPlane,
} from '@bloomery/model';
import { silentLog, systemClock } from '@bloomery/ports';
import type { MachineSpec } from '../rack/machine-spec.ts';
import type { Rack } from '../rack/rack.ts';
import type { ClusterSight } from './cluster-stages.ts';
import { followCollectedLogs } from './collected-logs.ts';
import type { Sight } from './machine-stages.ts';

/** Sees machines and their cluster through watches of the plane's API and through their consoles. */
export interface MachineWatch extends AsyncDisposable {
  readonly client: RemoteClient;
  sight(machine: MachineSpec): Sight;
  /** The Cluster of this name, in namespace default, and what belongs to it. */
  cluster(name: string): ClusterSight;
  /** The MetalMachine of this name, in namespace default. */
  metalMachine(name: string): MetalMachine | undefined;
}

/**
 * Start watching; watches that break (the plane was killed) are made again for ever.
 * @param logFile Where the plane writes what it collects of kernel logs.
 */
export function watchMachines(rack: Rack, access: ClusterAccess, logFile: string): MachineWatch {
  const logs = followCollectedLogs(logFile);
  const client = createRemoteClient(access);
  const cache = createObjectCache();
  const stop = new AbortController();
  const deps = { client, cache, clock: systemClock, log: silentLog, random: Math.random };
  const kinds = [server, serverBinding, metalMachine, machine, cluster, talosControlPlane, machineDeployment];
  const running = kinds.map((kind) => runInformer(kind, deps, () => {}, stop.signal));
  const holderOf = (binding: ServerBinding | undefined): MetalMachine | undefined => {
    const { name, namespace = 'default' } = binding?.spec?.metalMachineRef ?? {};
    return name === undefined ? undefined : cache.get(metalMachine, { name, namespace });
  };
  const machineOf = (holder: MetalMachine | undefined): Machine | undefined => {
    const owner = holder?.metadata.ownerReferences?.find(({ kind }) => kind === machine.kind);
    return owner === undefined ? undefined : cache.get(machine, { name: owner.name, namespace: 'default' });
  };
  return {
    client,
    sight: (spec) => {
      const binding = cache.get(serverBinding, { name: spec.uuid });
      const holder = holderOf(binding);
      return {
        server: cache.get(server, { name: spec.uuid }),
        binding,
        metalMachine: holder,
        machine: machineOf(holder),
        console: rack.consoleText(spec),
        kernelLog: logs.of(spec.uuid),
      };
    },
    cluster: (name) => {
      const isOurs = ({ spec }: { readonly spec?: { readonly clusterName?: string } }): boolean =>
        spec?.clusterName === name;
      const seen = cache.get(cluster, { name, namespace: 'default' });
      const controlPlane = seen?.spec?.controlPlaneRef?.name;
      return {
        cluster: seen,
        controlPlane:
          controlPlane === undefined
            ? undefined
            : cache.get(talosControlPlane, { name: controlPlane, namespace: 'default' }),
        deployments: cache.list(machineDeployment).filter(isOurs),
        machines: cache.list(machine).filter(isOurs),
      };
    },
    metalMachine: (name) => cache.get(metalMachine, { name, namespace: 'default' }),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.all(running);
      await client[Symbol.asyncDispose]();
    },
  };
}
