import type { ObjectCache } from '@bloomery/kube';
import {
  allKinds,
  cluster,
  isJsonObject,
  type JsonObject,
  type KindRef,
  type KubeObject,
  LABELS,
  machine,
  machineDeployment,
  machineSet,
  type ObjectReference,
  talosControlPlane,
} from '@bloomery/model';
import type { ExplainedCondition, ExplainedObject } from './explain-input.ts';

type Cache = Pick<ObjectCache, 'get' | 'list'>;

/** Kinds that are many machines: each of these is explained by its own, and the explanation of the group is made of theirs. */
const GROUP_KINDS: ReadonlySet<string> = new Set(
  [cluster, talosControlPlane, machineDeployment, machineSet].map(({ kind }) => kind),
);

/** Is an object of this kind many machines? */
export function isGroup({ kind }: KubeObject): boolean {
  return GROUP_KINDS.has(kind);
}

/** The machines of a group, by name. */
export function machinesOf(object: KubeObject, cache: Cache): readonly ExplainedObject[] {
  const { name, namespace } = object.metadata;
  const members = cache.list<ExplainedObject>(machine, namespace);
  if (object.kind === cluster.kind) return members.filter((member) => clusterNameOf(member) === name);
  if (object.kind !== machineDeployment.kind) return members.filter((member) => isOwnedBy(member, object));
  const sets = cache.list<KubeObject>(machineSet, namespace).filter((set) => isOwnedBy(set, object));
  return members.filter((member) => sets.some((set) => isOwnedBy(member, set)));
}

/** Is there something to say about a member? A healthy one explains nothing. */
export function isTroubled({ metadata, status }: ExplainedObject): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return metadata.deletionTimestamp !== undefined || status?.waitingFor !== undefined || ready?.status !== 'True';
}

/** The Cluster that an object belongs to. */
export function clusterNameOf(object: KubeObject): string | undefined {
  if (object.kind === cluster.kind) return object.metadata.name;
  const named = specOf(object)['clusterName'] ?? object.metadata.labels?.[LABELS.clusterName];
  if (typeof named === 'string') return named;
  return object.metadata.ownerReferences?.find(({ kind }) => kind === cluster.kind)?.name;
}

/** What a field of the spec refers to, of whatever kind, as far as the cache holds it. `a.b` is a field in a field. */
export function referencedBy(object: KubeObject, field: string, cache: Cache): ExplainedObject | undefined {
  const ref = field.split('.').reduce<unknown>((value, name) => {
    return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  }, specOf(object));
  const { kind, name, apiVersion = '' } = (ref ?? {}) as ObjectReference;
  if (kind === undefined || name === undefined) return undefined;
  const { namespace = 'default' } = object.metadata;
  const found = cache.get<KubeObject>(kindOf(kind, apiVersion), { name, namespace });
  return found && { ...found, kind, status: statusOf(found) };
}

/** Kinds of others may say anything in their status: only what has the shape of a condition or a phrase is read. */
function statusOf(object: KubeObject): NonNullable<ExplainedObject['status']> {
  const status: unknown = Reflect.get(object, 'status');
  const text = (name: string, of: unknown = status): string | undefined => {
    const value: unknown = typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  const listed: unknown = typeof status === 'object' && status !== null ? Reflect.get(status, 'conditions') : undefined;
  const conditions = (Array.isArray(listed) ? listed : []).flatMap((item: unknown): ExplainedCondition[] => {
    const [type, state] = [text('type', item), text('status', item)];
    if (type === undefined || !isConditionStatus(state)) return [];
    const severity = text('severity', item);
    const [reason, message] = [text('reason', item), text('message', item)];
    const lastTransitionTime = text('lastTransitionTime', item);
    return [
      {
        type,
        status: state,
        ...(severity === 'Error' || severity === 'Warning' || severity === 'Info' ? { severity } : {}),
        ...(reason === undefined ? {} : { reason }),
        ...(message === undefined ? {} : { message }),
        ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }),
      },
    ];
  });
  const [phase, waitingFor] = [text('phase'), text('waitingFor')];
  return {
    conditions,
    ...(phase === undefined ? {} : { phase }),
    ...(waitingFor === undefined ? {} : { waitingFor }),
  };
}

const isConditionStatus = (text: string | undefined): text is ExplainedCondition['status'] =>
  text === 'True' || text === 'False' || text === 'Unknown';

/** One of ours, or a guess: definitions seldom have another plural. */
function kindOf(kind: string, apiVersion: string): KindRef {
  const [group = '', version = ''] = apiVersion.split('/');
  const own = allKinds.find((k) => k.kind === kind && k.storage && (group === '' || k.group === group));
  return own ?? { group, version, kind, plural: `${kind.toLowerCase()}s`, scope: 'Namespaced' };
}

function isOwnedBy({ metadata }: KubeObject, { kind, metadata: owner }: KubeObject): boolean {
  return metadata.ownerReferences?.some((ref) => ref.kind === kind && ref.name === owner.name) === true;
}

function specOf(object: KubeObject): JsonObject {
  const spec: unknown = Reflect.get(object, 'spec');
  return isJsonObject(spec as JsonObject | undefined) ? (spec as JsonObject) : {};
}
