import type { ObjectCache } from '@bloomery/kube';
import { LABELS, type MetalMachine, machine, type ServerBinding, serverBinding } from '@bloomery/model';
import { metalMachineOf } from './bound-objects.ts';
import type { LinkPeers } from './peers/link-peers.ts';

/** Whose the lines and events of a machine are. What is not known (yet) is absent, never empty. */
export interface LinkAnnotation {
  /** Name of the ServerBinding and of its Server. */
  readonly server_uuid: string;
  /** Namespace of the MetalMachine, Machine and Cluster. */
  readonly namespace?: string;
  readonly metal_machine?: string;
  readonly cluster?: string;
  readonly machine?: string;
}

/** Answers whose machine a link address is. */
export interface LinkAnnotations {
  /**
   * @param linkAddress Bare, in canonical text (see bareLinkAddress).
   * @returns The same object until something in it may have changed; undefined for an address that no machine has.
   */
  at(linkAddress: string): LinkAnnotation | undefined;
}

/** What annotations are made of: the cache must hold ServerBindings and MetalMachines. */
export interface LinkAnnotationsDeps {
  readonly cache: ObjectCache;
  readonly peers: Pick<LinkPeers, 'serverAt'>;
}

interface Memo {
  readonly metalMachine: MetalMachine | undefined;
  readonly annotation: LinkAnnotation;
}

/**
 * Annotations by link address, right as soon as the cache has a label or an owner. Nothing is listened to and nothing is kept
 * longer than the objects it was made of: an answer is made anew when the cache holds other objects.
 */
export function createLinkAnnotations({ cache, peers }: LinkAnnotationsDeps): LinkAnnotations {
  const memos = new WeakMap<ServerBinding, Memo>();
  return {
    at(linkAddress) {
      const name = peers.serverAt(linkAddress);
      if (name === undefined) return undefined;
      const binding = cache.get(serverBinding, { name });
      // Only for the moment until the cache has what was just provisioned.
      if (binding === undefined) return { server_uuid: name };
      const owner = metalMachineOf(binding, cache);
      const memo = memos.get(binding);
      if (memo !== undefined && memo.metalMachine === owner) return memo.annotation;
      const annotation = annotationOf(binding, owner);
      memos.set(binding, { metalMachine: owner, annotation });
      return annotation;
    },
  };
}

function annotationOf(binding: ServerBinding, owner: MetalMachine | undefined): LinkAnnotation {
  const { name, labels } = binding.metadata;
  const ref = binding.spec?.metalMachineRef;
  const clusterName = labels?.[LABELS.clusterName];
  const machineName = machineOf(owner);
  return {
    server_uuid: name,
    ...(ref?.namespace ? { namespace: ref.namespace } : {}),
    ...(ref?.name ? { metal_machine: ref.name } : {}),
    ...(clusterName ? { cluster: clusterName } : {}),
    ...(machineName ? { machine: machineName } : {}),
  };
}

/** Name of the Machine of Cluster API that owns a MetalMachine. */
export function machineOf(owned: MetalMachine | undefined): string | undefined {
  return owned?.metadata.ownerReferences?.find(
    ({ kind, apiVersion }) => kind === machine.kind && apiVersion.split('/')[0] === machine.group,
  )?.name;
}
