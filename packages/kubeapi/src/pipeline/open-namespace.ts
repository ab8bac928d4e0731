import type { Store } from '../store/store.ts';
import { forbiddenBecause, notFound } from './api-status.ts';
import type { WriteRequest } from './write-request.ts';

/** Check that something can be created in the namespace of a request. @throws 404 when it is absent, 403 when it is being deleted. */
export function requireOpenNamespace(store: Store, request: WriteRequest, name: string): void {
  if (!request.resource.namespaced) return;
  const namespace = store.head({ resource: 'namespaces', namespace: '', name: request.namespace });
  if (namespace === undefined) throw notFound({ id: 'namespaces', group: '', plural: 'namespaces' }, request.namespace);
  if (namespace.metadata.deletionTimestamp === undefined) return;
  const why = `unable to create new content in namespace ${request.namespace} because it is being terminated`;
  throw forbiddenBecause(request.resource, name, why, {
    causes: [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${request.namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ],
  });
}
