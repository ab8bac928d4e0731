import type { VirtualResource } from '@bloomery/kube';
import { apiVersionOf, type JsonObject, jsonEqual, type KindDefinition } from '@bloomery/model';
import { type ApiObject, asApiObject } from '../api-object.ts';
import { processObject } from '../schema/index.ts';
import type { WebhookClientConfig } from '../webhooks/client-config.ts';

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
  /** Those that are served, preferred first. */
  readonly versions: readonly KindDefinition[];
  readonly storage: KindDefinition;
  readonly rules: ResourceRules;
  /** Objects may have been stored under another schema: they are pruned and defaulted when they are read. */
  readonly shapedOnRead?: boolean;
  /** Its definition is being deleted: nothing can be created any more. */
  readonly terminating?: boolean;
  /** Present: a webhook converts between versions. Kinds of the product bring functions instead. */
  readonly conversion?: ConversionWebhook;
  /** Present: nothing is stored, get and list ask here, writes and watches are refused with 405. */
  readonly computed?: VirtualResource;
}

/** The webhook that converts the objects of a resource. */
export interface ConversionWebhook {
  readonly config: WebhookClientConfig;
  readonly reviewVersion: 'v1' | 'v1beta1';
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

/**
 * Make a resource out of the versions of one kind; exactly one of them must be the stored one, or `storage` is given for one
 * that is not served.
 */
export function resourceOf(
  versions: readonly KindDefinition[],
  rules: ResourceRules,
  storage = versions.find((v) => v.storage) ?? versions[0],
): Resource {
  const first = versions[0] ?? storage;
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

/** How versions show objects. By version first: when a definition changes, its old versions go with all that they showed. */
const converted = new WeakMap<KindDefinition, WeakMap<ApiObject, ApiObject>>();

/** Whether only a webhook can tell how a version shows an object. */
export function needsWebhook(resource: Resource, object: ApiObject, version: KindDefinition): boolean {
  return resource.conversion !== undefined && object.apiVersion !== apiVersionOf(version);
}

/** Whether `toVersion` answers for an object without a webhook, or because it was asked already. */
export function isPrepared(resource: Resource, object: ApiObject, version: KindDefinition): boolean {
  return !needsWebhook(resource, object, version) || converted.get(version)?.has(object) === true;
}

/** Keep how a version shows an object, for `toVersion`. */
export function rememberVersion(object: ApiObject, version: KindDefinition, shown: ApiObject): void {
  const known = converted.get(version) ?? new WeakMap<ApiObject, ApiObject>();
  converted.set(version, known.set(object, shown));
}

/**
 * A stored object as a version shows it. Conversions of one object are made once.
 *
 * @throws Error when a webhook has to be asked first: see `Conversions.prepare`.
 */
export function toVersion(resource: Resource, object: ApiObject, version: KindDefinition): ApiObject {
  const isStored = object.apiVersion === apiVersionOf(resource.storage);
  if (version === resource.storage && isStored && resource.shapedOnRead !== true) return object;
  const known = converted.get(version)?.get(object);
  if (known !== undefined) return known;
  if (needsWebhook(resource, object, version)) throw new Error(`${resource.id}: an object was not converted in time`);
  const isOwn = isStored || resource.conversion !== undefined;
  const shown = convert(resource, isOwn ? object : asStored(resource, object), version);
  rememberVersion(object, version, shown);
  return shown;
}

/** Kubernetes fills in the defaults of the version in which an object is stored; the version that is shown only prunes. */
function convert(resource: Resource, stored: ApiObject, version: KindDefinition): ApiObject {
  return fromStorage(resource, asRead(resource, stored), version);
}

/** An object of the stored version in another one, without defaults. */
export function fromStorage(resource: Resource, object: ApiObject, version: KindDefinition): ApiObject {
  const shown =
    version === resource.storage || resource.conversion !== undefined
      ? object
      : ({
          ...(version.convert?.fromStorage(object) ?? object),
          apiVersion: apiVersionOf(version),
          kind: version.kind,
        } as ApiObject);
  return resource.shapedOnRead === true && shown !== object ? prunedAs(version, shown) : shown;
}

/** A stored object as it is read: with the defaults of its version where it may lack some. */
export function asRead(resource: Resource, object: ApiObject): ApiObject {
  if (resource.shapedOnRead !== true) return object;
  const written = [resource.storage, ...resource.versions].find((one) => apiVersionOf(one) === object.apiVersion);
  return written === undefined ? object : shapedAs(written, object);
}

/** The object without what a version does not know; the same reference when nothing changes. */
export function prunedAs(version: KindDefinition, object: ApiObject): ApiObject {
  const pruned = processObject(version.schema, object, { validate: false, defaults: false }).object;
  return jsonEqual(pruned, object) ? object : asApiObject(pruned);
}

/** The object with the defaults of a version and without what it does not know; the same reference when nothing changes. */
function shapedAs(version: KindDefinition, object: ApiObject): ApiObject {
  const shaped = processObject(version.schema, version.defaults?.(object) ?? object, { validate: false }).object;
  return jsonEqual(shaped, object) ? object : asApiObject(shaped);
}

/** An object that was stored while another version was the stored one. */
function asStored(resource: Resource, object: ApiObject): ApiObject {
  const written = resource.versions.find((v) => apiVersionOf(v) === object.apiVersion);
  return toStorage(resource, object, written ?? resource.storage);
}

/** An object of some version as it is stored. */
export function toStorage(resource: Resource, object: ApiObject, version: KindDefinition): ApiObject {
  const stored: JsonObject = version === resource.storage ? object : (version.convert?.toStorage(object) ?? object);
  const apiVersion = apiVersionOf(resource.storage);
  if (stored === object && object.apiVersion === apiVersion) return object;
  return { ...stored, apiVersion, kind: resource.storage.kind } as ApiObject;
}
