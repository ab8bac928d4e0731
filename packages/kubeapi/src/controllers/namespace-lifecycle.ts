import { isJsonObject } from '@bloomery/model';
import { isBloomeryError, type Logger } from '@bloomery/ports';
import { type ApiObject, asApiObject, withMeta } from '../api-object.ts';
import type { Writer } from '../pipeline/writer.ts';
import type { Registry } from '../registry/registry.ts';
import type { Store } from '../store/store.ts';
import { createSerialWork } from './serial-work.ts';

export interface NamespaceLifecycleDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly writer: Writer;
  readonly log: Logger;
}

/** Namespaces that are always there. */
export const STANDING_NAMESPACES: readonly string[] = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Empties namespaces that are being deleted and lets them go when nothing is left in them. */
export function startNamespaceLifecycle(deps: NamespaceLifecycleDeps): {
  readonly idle: () => Promise<void>;
  readonly stop: () => void;
} {
  const { store, registry, writer, log } = deps;
  const work = createSerialWork(log);
  const idOf = (name: string) => ({ resource: 'namespaces', namespace: '', name });

  async function visit(name: string): Promise<void> {
    const namespace = store.head(idOf(name));
    if (namespace?.metadata.deletionTimestamp === undefined) return;
    let left = 0;
    for (const resource of registry.all().filter((r) => r.namespaced)) {
      for (const object of store.list(resource.id, name)) {
        left += 1;
        if (object.metadata.deletionTimestamp !== undefined) continue;
        try {
          const deleted = await writer.delete({
            resource,
            version: resource.storage,
            namespace: name,
            name: object.metadata.name,
            propagationPolicy: 'Background',
            dryRun: false,
          });
          if (deleted.gone) left -= 1;
        } catch (error) {
          if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
        }
      }
    }
    const present = store.head(idOf(name));
    if (left > 0 || present === undefined) return;
    const build = (resourceVersion: string): ApiObject => withMeta(withoutFinalizers(present), { resourceVersion });
    if ((present.metadata.finalizers ?? []).length === 0) await store.remove(idOf(name), build);
    else await store.put(idOf(name), build);
  }

  const stop = store.subscribe((changes) => {
    const names = new Set<string>();
    for (const { id, type, object } of changes) {
      if (id.resource === 'namespaces' && type === 'put' && object.metadata.deletionTimestamp !== undefined)
        names.add(id.name);
      else if (type === 'delete' && id.namespace !== '') names.add(id.namespace);
    }
    for (const name of names) {
      if (store.get(idOf(name))?.metadata.deletionTimestamp !== undefined) work.add(name, () => visit(name));
    }
  });
  for (const namespace of store.list('namespaces')) {
    if (namespace.metadata.deletionTimestamp !== undefined)
      work.add(namespace.metadata.name, () => visit(namespace.metadata.name));
  }
  return { idle: () => work.idle(), stop };
}

function withoutFinalizers(namespace: ApiObject): ApiObject {
  const spec = isJsonObject(namespace['spec']) ? namespace['spec'] : {};
  return asApiObject({ ...namespace, spec: { ...spec, finalizers: [] } });
}
