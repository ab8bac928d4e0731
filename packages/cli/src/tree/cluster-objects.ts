import {
  cluster,
  isJsonObject,
  type JsonObject,
  type KindRef,
  type KubeObject,
  machine,
  machineDeployment,
  machineHealthCheck,
  machineSet,
  type ObjectReference,
  type ServerBinding,
  server,
  serverBinding,
} from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { Session } from '../session.ts';
import { createFindKind } from './find-kind.ts';

/** Any object of the tree. */
export interface TreeObject extends KubeObject {
  readonly spec?: JsonObject;
  readonly status?: JsonObject;
}

/** Everything that the tree of a cluster is made of. */
export interface ClusterObjects {
  readonly cluster: TreeObject;
  readonly machines: readonly TreeObject[];
  readonly machineSets: readonly TreeObject[];
  readonly machineDeployments: readonly TreeObject[];
  readonly machineHealthChecks: readonly TreeObject[];
  /** What Cluster and Machines name in references, of any kind, by `referenceId`. */
  readonly referenced: ReadonlyMap<string, TreeObject>;
  readonly bindings: readonly ServerBinding[];
  readonly servers: ReadonlyMap<string, TreeObject>;
  /** Kinds that could not be read: not permitted. */
  readonly hidden: readonly string[];
}

/** Where the object of a reference is found in `referenced`. */
export function referenceId({ kind = '', name = '', apiVersion = '' }: ObjectReference): string {
  return `${apiVersion.split('/')[0]}/${kind}/${name}`;
}

/** Read the objects of a cluster: each kind is listed once, whatever the number of machines. */
export async function readClusterObjects(session: Session, root: TreeObject): Promise<ClusterObjects> {
  const { name, namespace = 'default' } = root.metadata;
  const hidden: string[] = [];
  const list = (kind: KindRef, options = { namespace }): Promise<readonly TreeObject[]> =>
    listOf(session, kind, options, hidden);
  const ofCluster = (objects: readonly TreeObject[]): readonly TreeObject[] =>
    objects.filter(({ spec }) => spec?.['clusterName'] === name);
  const [machines, machineSets, machineDeployments, machineHealthChecks] = await Promise.all(
    [machine, machineSet, machineDeployment, machineHealthCheck].map(async (kind) => ofCluster(await list(kind))),
  );
  const references = [root, ...(machines ?? [])].flatMap(referencesOf);
  const [referenced, bindings, servers] = await Promise.all([
    readReferenced(session, references, list),
    listOf<ServerBinding>(session, serverBinding, {}, hidden),
    listOf<TreeObject>(session, server, {}, hidden),
  ]);
  return {
    cluster: root,
    machines: machines ?? [],
    machineSets: machineSets ?? [],
    machineDeployments: machineDeployments ?? [],
    machineHealthChecks: machineHealthChecks ?? [],
    referenced,
    bindings,
    servers: new Map(servers.map((object) => [object.metadata.name, object])),
    hidden,
  };
}

/** The references of a Cluster or Machine to what others provide. */
export function referencesOf({ kind, spec }: TreeObject): readonly ObjectReference[] {
  const { infrastructureRef, controlPlaneRef, bootstrap } = spec ?? {};
  const configRef = isJsonObject(bootstrap) ? bootstrap['configRef'] : undefined;
  const all = kind === cluster.kind ? [infrastructureRef, controlPlaneRef] : [configRef, infrastructureRef];
  return all.flatMap((ref) => {
    if (!isJsonObject(ref)) return [];
    const { apiVersion, kind: refKind, name } = ref;
    if (typeof refKind !== 'string' || typeof name !== 'string') return [];
    return [{ kind: refKind, name, ...(typeof apiVersion === 'string' ? { apiVersion } : {}) }];
  });
}

async function readReferenced(
  session: Session,
  references: readonly ObjectReference[],
  list: (kind: KindRef) => Promise<readonly TreeObject[]>,
): Promise<ReadonlyMap<string, TreeObject>> {
  const findKind = createFindKind(session);
  const kinds = [...new Map(references.map((ref) => [`${ref.apiVersion}/${ref.kind}`, ref])).values()];
  const found = new Map<string, TreeObject>();
  await Promise.all(
    kinds.map(async (ref) => {
      const kind = await findKind(ref);
      if (kind === undefined) return;
      for (const object of await list(kind)) {
        const id = { kind: kind.kind, name: object.metadata.name };
        found.set(
          referenceId({ ...id, ...(ref.apiVersion === undefined ? {} : { apiVersion: ref.apiVersion }) }),
          object,
        );
      }
    }),
  );
  return found;
}

/** What is not permitted is left out and named; what is not served does not exist. */
async function listOf<T extends KubeObject>(
  { client }: Session,
  kind: KindRef,
  options: { readonly namespace?: string },
  hidden: string[],
): Promise<readonly T[]> {
  try {
    const { items } = await client.list<T>(kind as KindRef<T>, kind.scope === 'Cluster' ? {} : options);
    return items.map((item) => ({ ...item, kind: kind.kind }));
  } catch (error) {
    if (isBloomeryError(error, 'BLM_API_FORBIDDEN')) hidden.push(kind.plural);
    else if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
    return [];
  }
}
