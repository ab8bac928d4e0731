import type { ObjectCache } from '@bloomery/kube';
import {
  cluster,
  environment,
  type KindRef,
  type KubeObject,
  machine,
  machineDeployment,
  machineHealthCheck,
  machineSet,
  metalCluster,
  metalMachine,
  server,
  serverBinding,
  serverClass,
  talosConfig,
  talosControlPlane,
} from '@bloomery/model';
import type { TimelineSubject } from '../timeline.ts';
import { clusterNameOf, referencedBy } from './cluster-parts.ts';
import type { ExplainedObject } from './explain-input.ts';

/** Kinds that can be explained and have a timeline. */
export const EXPLAINED_KINDS: readonly KindRef[] = [
  server,
  serverBinding,
  metalMachine,
  machine,
  cluster,
  metalCluster,
  talosConfig,
  talosControlPlane,
  machineDeployment,
  machineSet,
  machineHealthCheck,
  environment,
  serverClass,
];

type Cache = Pick<ObjectCache, 'get' | 'list'>;

/** What the object waits for, nearest first. Kinds that the cache does not hold are just not there. */
export function upstreamObjects(object: KubeObject, cache: Cache): readonly ExplainedObject[] {
  switch (object.kind) {
    case 'MetalMachine':
      return present([serverOf(object, cache)]);
    case 'Machine': {
      const own = referencedBy(object, 'infrastructureRef', cache);
      const held = own?.kind === metalMachine.kind ? serverOf(own, cache) : undefined;
      // Without its configuration nothing boots: what is wrong with that is the root.
      return present([own, held, referencedBy(object, 'bootstrap.configRef', cache)]);
    }
    case 'Cluster':
      return present([
        referencedBy(object, 'controlPlaneRef', cache),
        referencedBy(object, 'infrastructureRef', cache),
      ]);
    case 'ServerBinding':
      return present([cache.get(server, { name: object.metadata.name })]);
    default:
      return [];
  }
}

/** Whose timeline is the object's. undefined: it has none. */
export function timelineSubject(object: KubeObject, cache: Cache): TimelineSubject | undefined {
  const { name, namespace } = object.metadata;
  switch (object.kind) {
    case 'Server':
    case 'ServerBinding':
      return { server: name };
    case 'MetalMachine': {
      const bound = serverOf(object, cache)?.metadata.name;
      return { metalMachine: `${namespace}/${name}`, ...(bound === undefined ? {} : { server: bound }) };
    }
    case 'Machine': {
      const own = referencedBy(object, 'infrastructureRef', cache);
      const inner = own?.kind !== metalMachine.kind ? {} : timelineSubject(own, cache);
      return { ...inner, machine: `${namespace}/${name}` };
    }
    case 'TalosConfig': {
      const owner = object.metadata.ownerReferences?.find((ref) => ref.kind === machine.kind)?.name;
      const own =
        owner === undefined ? undefined : cache.get(machine, { name: owner, namespace: namespace ?? 'default' });
      return own && timelineSubject({ ...own, kind: machine.kind }, cache);
    }
    default: {
      const own = CLUSTER_KINDS.has(object.kind) ? clusterNameOf(object) : undefined;
      return own === undefined ? undefined : { cluster: `${namespace}/${own}` };
    }
  }
}

/** Kinds whose timeline is that of their Cluster. */
const CLUSTER_KINDS: ReadonlySet<string> = new Set(
  [cluster, metalCluster, talosControlPlane, machineDeployment, machineSet, machineHealthCheck].map(({ kind }) => kind),
);

function serverOf(object: KubeObject, cache: Cache): ExplainedObject | undefined {
  const { name, namespace } = object.metadata;
  const binding = cache.list(serverBinding).find(({ spec }) => {
    return spec?.metalMachineRef.name === name && spec.metalMachineRef.namespace === namespace;
  });
  return binding === undefined ? undefined : cache.get(server, { name: binding.metadata.name });
}

function present(objects: readonly (ExplainedObject | undefined)[]): readonly ExplainedObject[] {
  return objects.filter((object) => object !== undefined);
}
