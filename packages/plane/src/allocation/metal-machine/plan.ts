import type { Cluster, Machine, MetalMachine, Server, ServerBinding, ServerClass } from '@bloomery/model';
import { isPaused } from '../paused.ts';
import type { Wait } from '../wait.ts';
import { noServerWait, unfitness } from './candidates.ts';

/** Everything that decides about a MetalMachine. */
export interface MetalMachineInput {
  readonly metalMachine: MetalMachine;
  /** The owner of kind Machine. */
  readonly machine: Machine | undefined;
  readonly clusterName: string | undefined;
  readonly cluster: Cluster | undefined;
  /** ServerBindings whose metalMachineRef is this MetalMachine. */
  readonly ownBindings: readonly ServerBinding[];
  /** The ServerBinding and the Server that spec.serverRef names. */
  readonly binding: ServerBinding | undefined;
  readonly server: Server | undefined;
  /** The ServerClass that spec.serverClassRef names. */
  readonly serverClass: ServerClass | undefined;
  /** All Servers: whether those of the class can be had, and what the others lack. */
  readonly servers: readonly Server[];
}

export type MetalMachinePlan =
  | { readonly do: 'wait'; readonly wait: Wait }
  /** Delete these ServerBindings and wait for them to go. */
  | { readonly do: 'release'; readonly bindings: readonly string[]; readonly wait: Wait }
  /** Let go of the Server and of the finalizer. */
  | { readonly do: 'finish' }
  /** A ServerBinding for this MetalMachine exists: name its Server in spec.serverRef. */
  | { readonly do: 'adopt'; readonly server: string }
  /** Bind the first of these Servers that is still free and clean. */
  | { readonly do: 'allocate'; readonly candidates: readonly string[]; readonly ifNone: Wait }
  /** Bind the Server that spec.serverRef names. */
  | { readonly do: 'bind'; readonly server: Server }
  /** Carry over what the ServerBinding says. */
  | { readonly do: 'follow'; readonly binding: ServerBinding };

/** Decide the next step of a MetalMachine: pause and deletion first, then the gates of spec/metal.md §9. Pure. */
export function planMetalMachine(input: MetalMachineInput): MetalMachinePlan {
  const { metalMachine, cluster } = input;
  if (isPaused(metalMachine, cluster)) {
    return wait(
      'Paused',
      `the MetalMachine or Cluster ${input.clusterName ?? '(none)'} is paused; unpause it to go on`,
    );
  }
  if (metalMachine.metadata.deletionTimestamp !== undefined) return planDeletion(input);
  return planGates(input) ?? (metalMachine.spec?.serverRef?.name ? planNamed(input) : planUnnamed(input));
}

function planDeletion({ ownBindings }: MetalMachineInput): MetalMachinePlan {
  if (ownBindings.length === 0) return { do: 'finish' };
  const names = ownBindings.map(({ metadata }) => metadata.name);
  return {
    do: 'release',
    bindings: ownBindings.filter((b) => b.metadata.deletionTimestamp === undefined).map((b) => b.metadata.name),
    wait: {
      reason: 'WaitingForRelease',
      message: `Server ${names.join(', ')} is being released; next: the MetalMachine goes when its ServerBinding is gone`,
    },
  };
}

/** The gates before allocation; undefined when all are open. */
function planGates({ metalMachine, machine, clusterName, cluster }: MetalMachineInput): MetalMachinePlan | undefined {
  const owner = metalMachine.metadata.ownerReferences?.find((o) => o.kind === 'Machine');
  if (machine === undefined) {
    return wait(
      'WaitingForMachine',
      owner === undefined
        ? 'no Machine owns this MetalMachine; next: a Machine whose spec.infrastructureRef names it becomes its owner'
        : `Machine ${owner.name}, the owner, does not exist; next: create it or delete this MetalMachine`,
    );
  }
  const { name } = machine.metadata;
  if (clusterName === undefined)
    return wait('WaitingForCluster', `Machine ${name} names no Cluster; set spec.clusterName`);
  if (cluster === undefined) return wait('WaitingForCluster', `Cluster ${clusterName} does not exist; create it`);
  if (cluster.status?.infrastructureReady !== true) {
    return wait('WaitingForClusterInfrastructure', `Cluster ${clusterName} has no status.infrastructureReady yet`);
  }
  if (!machine.spec?.bootstrap.dataSecretName) {
    const config = machine.spec?.bootstrap.configRef?.name;
    return wait(
      'WaitingForBootstrapData',
      `Machine ${name} has no spec.bootstrap.dataSecretName yet; next: ${
        config === undefined ? 'set it, or give it a bootstrap.configRef' : `TalosConfig ${config} makes the secret`
      }`,
    );
  }
  return undefined;
}

function planNamed({ metalMachine, binding, server, ownBindings }: MetalMachineInput): MetalMachinePlan {
  const name = metalMachine.spec?.serverRef?.name ?? '';
  if (binding !== undefined) {
    if (ownBindings.includes(binding)) return { do: 'follow', binding };
    const { namespace, name: other } = binding.spec?.metalMachineRef ?? {};
    return wait(
      'ServerTaken',
      `Server ${name} is bound to MetalMachine ${namespace ?? ''}/${other ?? ''}; next: release it there or name another Server`,
    );
  }
  if (server === undefined) {
    return wait(
      'ServerMissing',
      `Server ${name} does not exist; next: power it on so that it registers, or correct spec.serverRef`,
    );
  }
  if (server.spec?.accepted !== true) {
    return wait('ServerNotAccepted', `Server ${name} is not accepted; next: accept it (bloomery accept ${name})`);
  }
  return { do: 'bind', server };
}

function planUnnamed(input: MetalMachineInput): MetalMachinePlan {
  const { metalMachine, serverClass, servers } = input;
  const [own] = input.ownBindings.filter((b) => b.metadata.deletionTimestamp === undefined);
  if (own !== undefined) return { do: 'adopt', server: own.metadata.name };
  const className = metalMachine.spec?.serverClassRef?.name;
  if (!className) {
    return wait('NoServerReference', 'either spec.serverRef or spec.serverClassRef must be given; set one of them');
  }
  if (serverClass === undefined) {
    return wait(
      'ServerClassMissing',
      `ServerClass ${className} does not exist; create it or correct spec.serverClassRef`,
    );
  }
  if (serverClass.status?.problem !== undefined) {
    return wait('ServerClassBroken', `ServerClass ${className}: ${serverClass.status.problem}; correct its selector`);
  }
  const ifNone = noServerWait(serverClass, servers);
  const fit = new Set(servers.filter((s) => unfitness(s) === undefined).map((s) => s.metadata.name));
  const candidates = (serverClass.status?.serversAvailable ?? []).filter((name) => fit.has(name));
  return candidates.length === 0 ? { do: 'wait', wait: ifNone } : { do: 'allocate', candidates, ifNone };
}

function wait(reason: Wait['reason'], message: string): MetalMachinePlan {
  return { do: 'wait', wait: { reason, message } };
}
