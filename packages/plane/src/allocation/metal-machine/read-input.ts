import type { ObjectCache } from '@bloomery/kube';
import type { MetalMachine, ServerBinding } from '@bloomery/model';
import { cluster, LABELS, machine, server, serverBinding, serverClass } from '@bloomery/model';
import type { MetalMachineInput } from './plan.ts';

/** Is this ServerBinding for this MetalMachine? By name, so that a copied object (uid changed) is still the same. */
export function isBoundTo(binding: ServerBinding, metalMachine: MetalMachine): boolean {
  const ref = binding.spec?.metalMachineRef;
  return ref?.name === metalMachine.metadata.name && ref.namespace === metalMachine.metadata.namespace;
}

/** Gather what decides about a MetalMachine. Bindings are scanned only where spec.serverRef does not lead to them. */
export function readMetalMachineInput(metalMachine: MetalMachine, cache: ObjectCache): MetalMachineInput {
  const { namespace = 'default', ownerReferences, labels, deletionTimestamp } = metalMachine.metadata;
  const serverName = metalMachine.spec?.serverRef?.name;
  const className = metalMachine.spec?.serverClassRef?.name;
  const owner = ownerReferences?.find(({ kind }) => kind === 'Machine');
  const ownerMachine = owner && cache.get(machine, { name: owner.name, namespace });
  const clusterName =
    ownerMachine?.metadata.labels?.[LABELS.clusterName] ??
    ownerMachine?.spec?.clusterName ??
    labels?.[LABELS.clusterName];
  const binding = serverName ? cache.get(serverBinding, { name: serverName }) : undefined;
  const isSettled = binding !== undefined && isBoundTo(binding, metalMachine) && deletionTimestamp === undefined;
  const needsServers = !serverName && deletionTimestamp === undefined;
  return {
    metalMachine,
    machine: ownerMachine,
    clusterName,
    cluster: clusterName === undefined ? undefined : cache.get(cluster, { name: clusterName, namespace }),
    ownBindings: isSettled ? [binding] : cache.list(serverBinding).filter((b) => isBoundTo(b, metalMachine)),
    binding,
    server: serverName ? cache.get(server, { name: serverName }) : undefined,
    serverClass: className ? cache.get(serverClass, { name: className }) : undefined,
    servers: needsServers ? cache.list(server) : [],
  };
}
