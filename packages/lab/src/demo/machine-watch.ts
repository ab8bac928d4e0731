import {
  type ClusterAccess,
  createObjectCache,
  createRemoteClient,
  type RemoteClient,
  runInformer,
} from '@bloomery/kube';
import { type MetalMachine, metalMachine, type ServerBinding, server, serverBinding } from '@bloomery/model';
import { silentLog, systemClock } from '@bloomery/ports';
import type { MachineSpec } from '../rack/machine-spec.ts';
import type { Rack } from '../rack/rack.ts';
import { followCollectedLogs } from './collected-logs.ts';
import type { Sight } from './machine-stages.ts';

/** Sees machines through watches of the plane's API and through their consoles. */
export interface MachineWatch extends AsyncDisposable {
  readonly client: RemoteClient;
  sight(machine: MachineSpec): Sight;
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
  const running = [server, serverBinding, metalMachine].map((kind) => runInformer(kind, deps, () => {}, stop.signal));
  const holderOf = (binding: ServerBinding | undefined): MetalMachine | undefined => {
    const { name, namespace = 'default' } = binding?.spec?.metalMachineRef ?? {};
    return name === undefined ? undefined : cache.get(metalMachine, { name, namespace });
  };
  return {
    client,
    sight: (machine) => {
      const binding = cache.get(serverBinding, { name: machine.uuid });
      return {
        server: cache.get(server, { name: machine.uuid }),
        binding,
        metalMachine: holderOf(binding),
        console: rack.consoleText(machine),
        kernelLog: logs.of(machine.uuid),
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
