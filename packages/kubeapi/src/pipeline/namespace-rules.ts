import { isJsonObject, type JsonObject } from '@bloomery/model';
import { type ApiObject, asApiObject } from '../api-object.ts';
import type { Resource } from '../registry/resource.ts';
import { forbiddenBecause } from './api-status.ts';

/** Namespaces that cannot be deleted, as in Kubernetes. */
const STANDING: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

/** @throws 403 for the namespaces that must stay. */
export function refuseStandingNamespace(resource: Resource, name: string): void {
  if (resource.id === 'namespaces' && STANDING.has(name))
    throw forbiddenBecause(resource, name, 'this namespace may not be deleted');
}

/** A namespace that Kubernetes' own finalizer holds until it is empty. False for every other kind. */
export function isHeldNamespace(object: ApiObject): boolean {
  if (object.kind !== 'Namespace' || object.apiVersion !== 'v1') return false;
  const { finalizers } = specOf(object);
  return Array.isArray(finalizers) && finalizers.length > 0;
}

/** The namespace with the finalizers in `spec` of another state: only the `finalize` subresource changes them. */
export function withFinalizersOf(source: ApiObject, namespace: ApiObject): ApiObject {
  const { finalizers } = specOf(source);
  const { finalizers: _, ...rest } = specOf(namespace);
  return asApiObject({ ...namespace, spec: finalizers === undefined ? rest : { ...rest, finalizers } });
}

/** A namespace whose deletion has begun says so in its phase; other kinds stay as they are. */
export function withDyingPhase(object: ApiObject): ApiObject {
  if (!isHeldNamespace(object)) return object;
  const { status } = object;
  return asApiObject({ ...object, status: { ...(isJsonObject(status) ? status : {}), phase: 'Terminating' } });
}

function specOf(object: ApiObject): JsonObject {
  const { spec } = object;
  return isJsonObject(spec) ? spec : {};
}
