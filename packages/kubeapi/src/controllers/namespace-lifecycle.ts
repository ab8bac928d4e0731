import { jsonEqual, timeText } from '@bloomery/model';
import type { Clock, Logger } from '@bloomery/ports';
import { type ApiObject, asApiObject, withMeta } from '../api-object.ts';
import { record } from '../json-parts.ts';
import type { Writer } from '../pipeline/writer.ts';
import type { Registry } from '../registry/registry.ts';
import type { Store } from '../store/store.ts';
import { emptyResource } from './empty-resource.ts';
import { createKeyedWork } from './keyed-work.ts';
import { namespaceConditions, type Remaining } from './namespace-conditions.ts';

export interface NamespaceLifecycleDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Namespaces that are always there. */
export const STANDING_NAMESPACES: readonly string[] = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Empties namespaces that are being deleted and lets them go when nothing is left in them. */
export function startNamespaceLifecycle(deps: NamespaceLifecycleDeps): {
  readonly idle: () => Promise<void>;
  readonly stop: () => void;
} {
  const { store, registry, writer, clock } = deps;
  const work = createKeyedWork(deps.log, clock);
  const idOf = (name: string) => ({ resource: 'namespaces', namespace: '', name });
  const isDying = (name: string): boolean => store.head(idOf(name))?.metadata.deletionTimestamp !== undefined;

  async function visit(name: string): Promise<void> {
    if (!isDying(name)) return;
    const remaining = new Map<string, readonly ApiObject[]>();
    for (const resource of registry.all().filter((r) => r.namespaced && r.computed === undefined)) {
      const held = await emptyResource(store, writer, resource, name);
      if (held.length > 0) remaining.set(resource.id, held);
    }
    const present = store.head(idOf(name));
    if (present?.metadata.deletionTimestamp === undefined) return;
    const now = timeText(clock.nowMs());
    const after = remaining.size === 0 ? released(present) : held(present, remaining, now);
    const build = (resourceVersion: string): ApiObject => withMeta(after, { resourceVersion });
    if (remaining.size === 0 && (present.metadata.finalizers ?? []).length === 0) await store.remove(idOf(name), build);
    else if (!jsonEqual(present, after)) await store.put(idOf(name), build);
  }

  const add = (name: string): void => work.add(name, () => visit(name));
  const unsubscribe = store.subscribe((changes) => {
    for (const { id, type, object } of changes) {
      if (id.resource !== 'namespaces') {
        if (id.namespace !== '' && (type === 'delete' || object.metadata.deletionTimestamp !== undefined)) {
          if (isDying(id.namespace)) add(id.namespace);
        }
      } else if (type === 'put' && object.metadata.deletionTimestamp !== undefined) add(id.name);
    }
  });
  for (const { metadata } of store.list('namespaces')) if (metadata.deletionTimestamp !== undefined) add(metadata.name);
  return {
    idle: () => work.idle(),
    stop() {
      unsubscribe();
      work.stop();
    },
  };
}

/** Nothing is left in it: what Kubernetes' own finalizer waits for. */
function released(namespace: ApiObject): ApiObject {
  return asApiObject({ ...namespace, spec: { ...record(namespace['spec']), finalizers: [] } });
}

function held(namespace: ApiObject, remaining: Remaining, time: string): ApiObject {
  const status = record(namespace['status']);
  const conditions = namespaceConditions(remaining, status['conditions'], time);
  return asApiObject({ ...namespace, status: { ...status, phase: 'Terminating', conditions } });
}
