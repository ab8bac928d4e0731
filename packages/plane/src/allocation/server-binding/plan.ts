import type { Cluster, MetalMachine, Server, ServerBinding } from '@bloomery/model';
import { ANNOTATIONS, FINALIZERS } from '@bloomery/model';
import { isPaused } from '../paused.ts';
import type { Wait } from '../wait.ts';

/** Everything that decides about a ServerBinding. Read through the API, because a release is not undone. */
export interface ServerBindingInput {
  readonly binding: ServerBinding;
  readonly server: Server | undefined;
  readonly metalMachine: MetalMachine | undefined;
  readonly cluster: Cluster | undefined;
}

export type ServerBindingPlan =
  /** Living: carry the finalizer, mark the Server as bound, say whether the Server exists. */
  | { readonly do: 'keep'; readonly ready: boolean; readonly markServer: boolean; readonly addFinalizer: boolean }
  /** Deleted, but something holds it. */
  | { readonly do: 'hold'; readonly wait: Wait }
  /** Deleted: mark the Server as released, then let the binding go. */
  | { readonly do: 'release' }
  /** Deleted without a release (moved elsewhere, or there is no Server): let the binding go and leave the Server's mark. */
  | { readonly do: 'letGo' }
  | { readonly do: 'nothing' };

/**
 * Decide about a ServerBinding. A deleted one is held only while the MetalMachine that it names exists and is not being
 * deleted, while its Cluster is paused, or while the Server is protected (design §4). Pure.
 */
export function planServerBinding({ binding, server, metalMachine, cluster }: ServerBindingInput): ServerBindingPlan {
  const { name, uid, finalizers = [], annotations = {}, deletionTimestamp } = binding.metadata;
  const hasFinalizer = finalizers.includes(FINALIZERS.serverBinding);
  if (deletionTimestamp === undefined) {
    const mark = server?.metadata.annotations?.[ANNOTATIONS.boundTo];
    return {
      do: 'keep',
      ready: server !== undefined,
      markServer: server !== undefined && mark !== uid,
      addFinalizer: !hasFinalizer,
    };
  }
  if (!hasFinalizer) return { do: 'nothing' };
  const isElsewhere = [ANNOTATIONS.deleteForMove, ANNOTATIONS.movedAway].some((a) => Object.hasOwn(annotations, a));
  if (server === undefined || isElsewhere) return { do: 'letGo' };
  if (isPaused(binding, cluster)) {
    const message = `Server ${name} is not released while Cluster ${cluster?.metadata.name ?? '(none)'} or the binding is paused; unpause it`;
    return hold('Paused', message);
  }
  if (metalMachine !== undefined && metalMachine.metadata.deletionTimestamp === undefined) {
    const { namespace = '', name: holder } = metalMachine.metadata;
    const message = `MetalMachine ${namespace}/${holder} still lives on Server ${name}, releasing it would wipe a running machine; next: delete the MetalMachine`;
    return hold('HeldByMetalMachine', message);
  }
  if (Object.hasOwn(server.metadata.annotations ?? {}, ANNOTATIONS.protect)) {
    return hold('Protected', `Server ${name} carries ${ANNOTATIONS.protect}; take it away to release the Server`);
  }
  return { do: 'release' };
}

function hold(reason: Wait['reason'], message: string): ServerBindingPlan {
  return { do: 'hold', wait: { reason, message } };
}
