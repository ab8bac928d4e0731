import type { Controller, ReconcileContext, Requeue } from '@bloomery/kube';
import { patchObject, patchStatus, watchSource } from '@bloomery/kube';
import type { JsonObject, ServerClass } from '@bloomery/model';
import { ANY_SERVER_CLASS, jsonEqual, namespace, server, serverClass } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import { createMembershipIndex } from './membership-index.ts';
import { planAnyClass, planClassStatus } from './plan.ts';

/** Changes of one class within this time are written together. */
const COALESCE_MS = 75;

/**
 * The controller that keeps ServerClass.status: which Servers belong to each class, and which of them are free
 * (spec/metal.md §7). It also makes the class `any` and keeps its qualifiers empty.
 */
export function createServerClassController(): Controller<ServerClass> {
  const index = createMembershipIndex();
  const writtenAtMs = new Map<string, number>();
  return {
    name: 'server-class',
    kind: serverClass,
    watches: [
      watchSource(server, ({ metadata }, cache) =>
        index.serverChanged(metadata.name, cache.get(server, { name: metadata.name })).map((name) => ({ name })),
      ),
      // There is always a Namespace: this asks for `any` once at start, when there is no class yet.
      watchSource(namespace, ({ metadata }) => (metadata.name === 'default' ? [{ name: ANY_SERVER_CLASS }] : [])),
    ],
    writes: ['ServerClass.status', 'ServerClass.spec.qualifiers(any)'],
    async reconcile({ name }, context) {
      const found = context.cache.get(serverClass, { name });
      if (found === undefined || found.metadata.deletionTimestamp !== undefined) {
        index.classGone(name);
        writtenAtMs.delete(name);
        if (found === undefined && name === ANY_SERVER_CLASS) await createAnyClass(context);
        return {};
      }
      if (planAnyClass(found) !== undefined) await patchObject(context.client, serverClass, { name }, planAnyClass);
      index.classChanged(name, found.spec);
      return writeStatus(found, context);
    },
  };

  async function writeStatus(found: ServerClass, context: ReconcileContext): Promise<Requeue> {
    const { name } = found.metadata;
    const members = index.membersOf(name);
    if (members === undefined) return {};
    const wanted = planClassStatus(found, members);
    if (jsonEqual(found.status, wanted)) return {};
    const sinceMs = context.clock.nowMs() - (writtenAtMs.get(name) ?? -COALESCE_MS);
    if (sinceMs < COALESCE_MS) return { afterMs: COALESCE_MS - sinceMs };
    writtenAtMs.set(name, context.clock.nowMs());
    await patchStatus(context, serverClass, { name }, ({ status }) => ({ ...gone(status, wanted), ...wanted }));
    if (wanted.problem !== undefined && wanted.problem !== found.status?.problem) {
      context.events.record(found, {
        type: 'Warning',
        reason: 'ServerClassBroken',
        message: `${wanted.problem}; the members stay as they were`,
      });
    }
    return {};
  }
}

/** Members of the old status that the new one does not have, as null for the patch. */
function gone(before: JsonObject | undefined, wanted: JsonObject): JsonObject {
  const names = Object.keys(before ?? {}).filter((name) => wanted[name] === undefined);
  return Object.fromEntries(names.map((name) => [name, null]));
}

async function createAnyClass({ client, log }: ReconcileContext): Promise<void> {
  const any: ServerClass = {
    apiVersion: 'metal.sidero.dev/v1alpha2',
    kind: 'ServerClass',
    metadata: { name: ANY_SERVER_CLASS },
    spec: { qualifiers: {} },
  };
  try {
    await client.create(serverClass, any);
    log.info('serverclass.any.created');
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) throw error;
  }
}
