import type { ResourceDefinition } from '@bloomery/cosi';
import { type CallContext, grpcError } from '@bloomery/grpc';
import { type MachineMethod, mayCall, notAuthorized, rolesOf } from '@bloomery/talos';
import type { ConfigStore } from '../config/config-store.ts';
import { isThisNode, type NodeNames } from './node-names.ts';

/** Who may do what, and for which node a call is. */
export interface ApiAccess {
  /**
   * Let a call in.
   *
   * @throws BloomeryError BLM_GRPC_STATUS PERMISSION_DENIED; UNAVAILABLE when it is for other nodes only.
   */
  admit(method: MachineMethod, context: CallContext): Admission;
  /** Let a reader of resources of this type in. @throws as `admit` */
  admitReader(context: CallContext, definition: Pick<ResourceDefinition, 'sensitive'>): void;
}

/** For whom an answer is. */
export interface Admission {
  readonly roles: readonly string[];
  /** As the caller named this node, where it named nodes. */
  readonly names: readonly string[];
  /** Other nodes that the caller named beside it. */
  readonly others: readonly string[];
}

export interface ApiAccessDeps {
  readonly store: Pick<ConfigStore, 'active' | 'isInMaintenance'>;
  readonly names: () => NodeNames;
  /** Address that the API is bound to. */
  readonly listener: string;
  /** The user of a caller on this host; undefined for callers from elsewhere. */
  readonly localUid: (peer: CallContext['peer']) => number | undefined;
  /** The user that the daemon runs as. */
  readonly ownUid: number;
}

const ADMIN = ['os:admin'];
const READERS = ['os:admin', 'os:operator', 'os:reader'];
const MAX_NODES = 64;

/** Access to the API of a node. @see spec/node.md section 3 */
export function createApiAccess({ store, names, listener, localUid, ownUid }: ApiAccessDeps): ApiAccess {
  /** A network that reaches a machine in maintenance may configure it, as Talos has it; another user of a shared host may not. */
  const isForeignUser = (context: CallContext): boolean => {
    if (context.certifiedPeer() !== undefined) return false;
    const uid = localUid(context.peer);
    return uid !== undefined && uid !== 0 && uid !== ownUid;
  };
  /** Without a certificate, which only maintenance allows: a reader. */
  const roles = (context: CallContext): readonly string[] => {
    if (context.certifiedPeer() === undefined) return store.isInMaintenance ? ['os:reader'] : [];
    return store.active.machine?.rbac === false ? READERS : rolesOf(context);
  };
  const targeted = (context: CallContext): Admission => {
    const asked = nodesOf(context);
    if (asked.length === 0) return { roles: roles(context), names: [], others: [] };
    const known = names();
    const own = asked.filter((node) => isThisNode(node, known, listener));
    const others = asked.filter((node) => !own.includes(node));
    if (own.length === 0) throw unknownNode(others);
    return { roles: roles(context), names: own, others };
  };
  return {
    admitReader: (context, { sensitive }) => {
      const admission = targeted(context);
      const wanted = sensitive ? ADMIN : READERS;
      if (!admission.roles.some((role) => wanted.includes(role))) throw notAuthorized();
    },
    admit: (method, context) => {
      const admission = targeted(context);
      // In maintenance there are no certificates yet; the method itself looks at the roles otherwise.
      const isFirstConfig = method === 'applyConfiguration' && store.isInMaintenance;
      if (!isFirstConfig && !mayCall(method, admission.roles)) throw notAuthorized();
      if (isFirstConfig && isForeignUser(context)) {
        throw grpcError('PERMISSION_DENIED', 'users of this host configure it as root, or with DIR/talosconfig');
      }
      return admission;
    },
  };
}

/** What a caller asks for: `node` for one, `nodes` for several. */
function nodesOf({ metadata }: CallContext): string[] {
  const texts = [metadata['node'], metadata['nodes']].filter((text) => text !== undefined);
  const nodes = texts.flatMap((text) => text.split(',', MAX_NODES)).map((node) => node.trim());
  return [...new Set(nodes)].filter((node) => node !== '');
}

/** What is said of nodes that are not this one. */
export const forwardingText = (nodes: readonly string[]): string =>
  `this node does not forward calls, and is not ${nodes.map((node) => JSON.stringify(node.slice(0, 200))).join(', ')}: ask that node itself (--endpoints)`;

const unknownNode = (nodes: readonly string[]) => grpcError('UNAVAILABLE', forwardingText(nodes));
