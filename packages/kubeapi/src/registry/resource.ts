import type { VirtualResource } from '@bloomery/kube';
import { apiVersionOf, type JsonObject, type KindDefinition } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';

/** How a resource of Kubernetes itself differs from a custom resource. */
export interface ResourceRules {
  /** Kubernetes' own kind: updates need no resourceVersion, strategic merge patches are understood. */
  readonly builtin: boolean;
  /** PUT of an absent object creates it (leases). */
  readonly createOnUpdate: boolean;
  /** `metadata.generation` is kept (not for secrets, configmaps, events …). */
  readonly generation: boolean;
  /** Objects are forgotten this long after their last write, in milliseconds. */
  readonly timeToLiveMs: number | undefined;
  /** Names are DNS labels of at most 63 characters (namespaces). */
  readonly labelNames: boolean;
  /** Names may hold colons (RBAC kinds). */
  readonly pathSegmentNames: boolean;
}

/** One resource with all its served versions; objects are stored in one of them. */
export interface Resource {
  /** `plural.group`, or `plural` in the core group: the key in the store. */
  readonly id: string;
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Preferred first. */
  readonly versions: readonly KindDefinition[];
  readonly storage: KindDefinition;
  readonly rules: ResourceRules;
  /** Present: nothing is stored, get and list ask here, writes and watches are refused with 405. */
  readonly computed?: VirtualResource;
}

/** Rules of a custom resource. */
export const CUSTOM_RULES: ResourceRules = {
  builtin: false,
  createOnUpdate: false,
  generation: true,
  timeToLiveMs: undefined,
  labelNames: false,
  pathSegmentNames: false,
};

/** `plural.group`, or `plural` in the core group. */
export function resourceId(kind: { readonly group: string; readonly plural: string }): string {
  return kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;
}

/** Make a resource out of the versions of one kind; exactly one of them must be the stored one. */
export function resourceOf(versions: readonly KindDefinition[], rules: ResourceRules): Resource {
  const first = versions[0];
  const storage = versions.find((v) => v.storage) ?? first;
  if (first === undefined || storage === undefined) throw new RangeError('a resource needs a version');
  const { group, plural, kind } = first;
  return {
    id: resourceId(first),
    group,
    plural,
    kind,
    namespaced: first.scope === 'Namespaced',
    versions,
    storage,
    rules,
  };
}

/** A resource whose objects are computed when asked for. Its kind says to discovery that it can only be read. */
export function computedResource(computed: VirtualResource): Resource {
  const version: KindDefinition & { readonly verbs: readonly string[] } = { ...computed.kind, verbs: ['get', 'list'] };
  return { ...resourceOf([version], CUSTOM_RULES), computed };
}

const converted = new WeakMap<ApiObject, Map<KindDefinition, ApiObject>>();

/** A stored object as another version shows it. Conversions of one object are made once. */
export function toVersion(resource: Resource, object: ApiObject, version: KindDefinition): ApiObject {
  if (version === resource.storage) return object;
  let known = converted.get(object);
  if (known === undefined) {
    known = new Map();
    converted.set(object, known);
  }
  let result = known.get(version);
  if (result === undefined) {
    const shown = version.convert?.fromStorage(object) ?? object;
    result = { ...shown, apiVersion: apiVersionOf(version), kind: version.kind } as ApiObject;
    known.set(version, result);
  }
  return result;
}

/** An object of some version as it is stored. */
export function toStorage(resource: Resource, object: ApiObject, version: KindDefinition): ApiObject {
  if (version === resource.storage) return object;
  const stored: JsonObject = version.convert?.toStorage(object) ?? object;
  return { ...stored, apiVersion: apiVersionOf(resource.storage), kind: resource.storage.kind } as ApiObject;
}
