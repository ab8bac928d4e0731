import { type JsonObject, jsonEqual } from '@bloomery/model';
import { type Clock, isBloomeryError, type Logger } from '@bloomery/ports';
import { type ApiObject, asApiObject } from '../api-object.ts';
import type { WriteRequest } from '../pipeline/write-request.ts';
import type { Writer } from '../pipeline/writer.ts';
import type { Registry } from '../registry/registry.ts';
import type { Store } from '../store/store.ts';
import { createKeyedWork } from './keyed-work.ts';

/** An object that every namespace has. */
export interface NamespaceContent {
  /** `serviceaccounts` */
  readonly resource: string;
  readonly name: string;
  /** Who is said to manage it. */
  readonly manager: string;
  /** Members beside metadata that it shall have; others of the object are let be. */
  readonly members: () => JsonObject;
  readonly annotations?: { readonly [name: string]: string };
}

export interface NamespaceContentsDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The ServiceAccount that programs without one of their own act as. */
export const DEFAULT_ACCOUNT: NamespaceContent = {
  resource: 'serviceaccounts',
  name: 'default',
  manager: 'bloomery-serviceaccounts',
  members: () => ({}),
};

/** Where programs find the authority that they check this API with. `pem` is asked again whenever it is looked at. */
export function rootCertificates(pem: () => string): NamespaceContent {
  return {
    resource: 'configmaps',
    name: 'kube-root-ca.crt',
    manager: 'bloomery-root-ca',
    members: () => ({ data: { 'ca.crt': pem() } }),
    annotations: { 'kubernetes.io/description': 'The certificate authority that this API is checked with.' },
  };
}

/**
 * Keeps an object in every namespace that is not ending: makes it, makes it again when it was deleted, and sets its members
 * right when they were changed.
 */
export function startNamespaceContents(
  deps: NamespaceContentsDeps,
  content: NamespaceContent,
): { readonly idle: () => Promise<void>; readonly stop: () => void } {
  const { store, registry, writer } = deps;
  const work = createKeyedWork(deps.log, deps.clock);

  async function visit(namespace: string): Promise<void> {
    const home = store.head({ resource: 'namespaces', namespace: '', name: namespace });
    const resource = registry.byId(content.resource);
    if (resource === undefined || home === undefined || home.metadata.deletionTimestamp !== undefined) return;
    const { name, manager, annotations } = content;
    const about = { resource, version: resource.storage, namespace, manager } as const;
    const request: WriteRequest = { ...about, dryRun: false, fieldValidation: 'Ignore' };
    const members = content.members();
    const present = store.head({ resource: content.resource, namespace, name });
    if (present === undefined) {
      const metadata = annotations === undefined ? { name } : { name, annotations };
      await unlessSettled(writer.create(request, { ...typeOf(resource.storage), metadata, ...members }));
    } else if (!hasMembers(present, members)) {
      await unlessSettled(writer.update(request, name, asApiObject({ ...present, ...members })));
    }
  }

  const add = (namespace: string): void => work.add(namespace, () => visit(namespace));
  const unsubscribe = store.subscribe((changes) => {
    for (const { id, type, before } of changes) {
      if (id.resource === 'namespaces' && type === 'put' && before === undefined) add(id.name);
      else if (id.resource === content.resource && id.name === content.name) add(id.namespace);
    }
  });
  for (const { metadata } of store.list('namespaces')) add(metadata.name);
  return {
    idle: () => work.idle(),
    stop() {
      unsubscribe();
      work.stop();
    },
  };
}

function typeOf({ group, version, kind }: { readonly group: string; readonly version: string; readonly kind: string }) {
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind };
}

function hasMembers(object: ApiObject, members: JsonObject): boolean {
  return Object.entries(members).every(([name, value]) => jsonEqual(object[name] ?? null, value ?? null));
}

/** Somebody else was faster, or the namespace has begun to end: the next change asks again. */
async function unlessSettled(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    const settled = ['BLM_API_ALREADY_EXISTS', 'BLM_API_CONFLICT', 'BLM_API_FORBIDDEN', 'BLM_API_NOT_FOUND'] as const;
    if (!settled.some((code) => isBloomeryError(error, code))) throw error;
  }
}
