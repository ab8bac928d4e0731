import type { Controller } from '@bloomery/kube';
import { findObject, patchObject } from '@bloomery/kube';
import type { JsonObject, KindDefinition, KindRef, KubeObject, ObjectKey } from '@bloomery/model';
import { apiVersionOf, crdOf, defineKind, isJsonObject, schema } from '@bloomery/model';

const { openObject } = schema;
const FINALIZER = 'fake.bloomery.test';

/** A kind of a provider that nobody knows. */
export function fakeKind(kind: string, plural: string, group = 'infrastructure.cluster.x-k8s.io'): KindDefinition {
  return defineKind({
    group,
    version: 'v1beta1',
    kind,
    plural,
    scope: 'Namespaced',
    description: 'A kind of a test.',
    properties: { spec: openObject(), status: openObject() },
  });
}

/** What an object says once it has an owner. */
export interface FakeAnswer {
  readonly spec?: JsonObject;
  readonly status: JsonObject;
}

/**
 * A provider that gives every object of a kind a finalizer and, once it is owned by an `owner`, this answer; it lets go when
 * `mayGo` says so. `log` gets `Kind name gone`.
 */
export function fakeProvider(
  kind: KindRef,
  options: {
    readonly owner: string;
    readonly answer: (object: KubeObject) => FakeAnswer | undefined;
    readonly mayGo?: () => boolean;
    readonly log?: string[];
  },
): Controller {
  const { owner, answer, mayGo = () => true, log = [] } = options;
  return {
    name: `fake-${kind.plural}`,
    kind,
    watches: [],
    writes: [`${kind.kind}.status`],
    async reconcile(key, { client }) {
      const found = await findObject(client, kind, key);
      if (found === undefined) return {};
      const { metadata } = found;
      if (metadata.deletionTimestamp !== undefined) {
        if (!mayGo()) return { afterMs: 500 };
        log.push(`${kind.kind} ${metadata.name} gone`);
        await patchObject(client, kind, key, () => ({ metadata: { finalizers: null } }));
        return {};
      }
      if (metadata.finalizers?.includes(FINALIZER) !== true) {
        await patchObject(client, kind, key, () => ({ metadata: { finalizers: [FINALIZER] } }));
      }
      const said = metadata.ownerReferences?.some((o) => o.kind === owner) === true ? answer(found) : undefined;
      if (said === undefined) return {};
      const { spec, status } = said;
      if (spec !== undefined) await client.patch(kind, key, { type: 'merge', body: { spec } });
      await client.patch(kind, key, { type: 'merge', body: { status } }, { subresource: 'status' });
      return {};
    },
  };
}

/** An object to start with. */
export function seed(
  kind: KindDefinition,
  name: string,
  body: JsonObject = {},
  metadata: JsonObject = {},
): { readonly kind: KindDefinition; readonly object: KubeObject } {
  const place = kind.scope === 'Cluster' ? { name } : { name, namespace: 'default' };
  const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { ...place, ...metadata }, ...body };
  return { kind, object: object as unknown as KubeObject };
}

/** A reference of Cluster API v1beta1 to an object. */
export function refTo(kind: KindRef, name: string): JsonObject {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, name, namespace: 'default' };
}

/** `default/NAME`. */
export const at = (name: string): ObjectKey => ({ name, namespace: 'default' });

/** Owners as `Kind/name`, `!` behind the controller. */
export function ownersOf(object: KubeObject | undefined): readonly string[] {
  return (object?.metadata.ownerReferences ?? []).map((o) => `${o.kind}/${o.name}${o.controller === true ? '!' : ''}`);
}

/** The definition of a kind, as the API has it. */
export function definitionOf(
  kind: KindDefinition,
  labels: JsonObject = {},
): { readonly kind: KindRef; readonly object: KubeObject } {
  const { metadata, ...rest } = crdOf([kind]);
  const object = {
    ...rest,
    metadata: { ...(isJsonObject(metadata) ? metadata : {}), labels },
    status: { conditions: [{ type: 'Established', status: 'True' }] },
  };
  return { kind: DEFINITIONS, object: object as unknown as KubeObject };
}

/** apiextensions.k8s.io/v1 CustomResourceDefinition. */
export const DEFINITIONS: KindRef = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  scope: 'Cluster',
};
