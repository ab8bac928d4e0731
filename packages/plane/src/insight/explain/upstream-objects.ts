import type { ObjectCache } from '@bloomery/kube';
import {
  cluster,
  environment,
  type KindRef,
  type KubeObject,
  LABELS,
  machine,
  metalCluster,
  metalMachine,
  server,
  serverBinding,
  serverClass,
  talosConfig,
} from '@bloomery/model';
import type { TimelineSubject } from '../timeline.ts';
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
      const own = metalMachineOf(object, cache);
      return present([own, own === undefined ? undefined : serverOf(own, cache)]);
    }
    case 'Cluster':
      return machinesOf(object, cache).flatMap((member) => [member, ...upstreamObjects(member, cache)]);
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
      const own = metalMachineOf(object, cache);
      const inner = own === undefined ? {} : timelineSubject(own, cache);
      return { ...inner, machine: `${namespace}/${name}` };
    }
    case 'Cluster':
      return { cluster: `${namespace}/${name}` };
    default:
      return undefined;
  }
}

function serverOf(object: KubeObject, cache: Cache): ExplainedObject | undefined {
  const { name, namespace } = object.metadata;
  const binding = cache.list(serverBinding).find(({ spec }) => {
    return spec?.metalMachineRef.name === name && spec.metalMachineRef.namespace === namespace;
  });
  return binding === undefined ? undefined : cache.get(server, { name: binding.metadata.name });
}

function metalMachineOf(object: KubeObject, cache: Cache): ExplainedObject | undefined {
  const { name = '', namespace = 'default' } = object.metadata;
  const ref = cache.get(machine, { name, namespace })?.spec?.infrastructureRef;
  return ref?.kind === 'MetalMachine' ? cache.get(metalMachine, { name: ref.name ?? '', namespace }) : undefined;
}

/** Members of a cluster that are not ready; a healthy member explains nothing. */
function machinesOf(object: KubeObject, cache: Cache): readonly ExplainedObject[] {
  const { name, namespace } = object.metadata;
  const members = cache.list<ExplainedObject>(machine, namespace);
  return members.filter(({ metadata }) => metadata.labels?.[LABELS.clusterName] === name).slice(0, 100);
}

function present(objects: readonly (ExplainedObject | undefined)[]): readonly ExplainedObject[] {
  return objects.filter((object) => object !== undefined);
}
