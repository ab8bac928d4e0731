import type { Controller, ObjectCache, ReconcileContext } from '@bloomery/kube';
import { findObject, patchObject, patchStatus, setFinalizer, watchSource } from '@bloomery/kube';
import type { MetalMachine, ObjectKey, ServerBinding } from '@bloomery/model';
import {
  ANNOTATIONS,
  cluster,
  FINALIZERS,
  keyOf,
  keyText,
  LABELS,
  metalMachine,
  server,
  serverBinding,
  timeText,
} from '@bloomery/model';
import type { TimelineRecorder } from '../../insight/timeline.ts';
import type { Wait } from '../wait.ts';
import { waitCondition, waitEvent } from '../wait.ts';
import type { ServerBindingInput } from './plan.ts';
import { planServerBinding } from './plan.ts';

export interface ServerBindingControllerOptions {
  readonly timeline?: TimelineRecorder;
}

/**
 * The controller that keeps ServerBindings: status.ready, the finalizer, the guarded release. On release the order is:
 * Server.status.released, the Server's mark `bloomery.dev/bound-to` taken away, the finalizer taken away. So a Server whose
 * mark is there while its ServerBinding is not was never released.
 */
export function createServerBindingController(options: ServerBindingControllerOptions = {}): Controller<ServerBinding> {
  // Seen only while they go: what moved elsewhere is not there any more when its binding is looked at.
  const moved = new Set<string>();
  return {
    name: 'server-binding',
    kind: serverBinding,
    watches: [
      watchSource(server, ({ metadata }, cache) =>
        cache.get(serverBinding, { name: metadata.name }) === undefined ? [] : [{ name: metadata.name }],
      ),
      watchSource(metalMachine, (object, cache) => {
        const keys = bindingsOf(object, cache);
        const isMoved = Object.hasOwn(object.metadata.annotations ?? {}, ANNOTATIONS.deleteForMove);
        if (isMoved && keys.length > 0) moved.add(keyText(keyOf(object)));
        return keys;
      }),
      watchSource(cluster, ({ metadata }, cache) =>
        cache
          .list(serverBinding)
          .filter((b) => b.metadata.labels?.[LABELS.clusterName] === metadata.name)
          .map(keyOf),
      ),
    ],
    writes: [
      'ServerBinding.metadata.finalizers',
      'ServerBinding.status.ready',
      'ServerBinding.status.conditions.Ready',
      'ServerBinding.metadata.annotations(moved-away)',
      'Server.metadata.annotations(bound-to)',
      'Server.status.released',
    ],
    async reconcile(key, context) {
      const binding = await findObject(context.client, serverBinding, key);
      if (binding === undefined) return {};
      if (binding.metadata.deletionTimestamp === undefined) await noteMove(binding, moved, context);
      await reconcileOne(await readInput(binding, context), context, options);
      return {};
    },
  };
}

function bindingsOf({ metadata, spec }: MetalMachine, cache: ObjectCache): readonly ObjectKey[] {
  const name = spec?.serverRef?.name;
  const direct = name ? cache.get(serverBinding, { name }) : undefined;
  if (direct !== undefined && metadata.deletionTimestamp === undefined) return [keyOf(direct)];
  const isNamed = ({ spec: s }: ServerBinding): boolean =>
    s?.metalMachineRef.name === metadata.name && s.metalMachineRef.namespace === metadata.namespace;
  return cache.list(serverBinding).filter(isNamed).map(keyOf);
}

/** Note on the binding that its MetalMachine went to another plane, or came back. */
async function noteMove(
  binding: ServerBinding,
  moved: Set<string>,
  { client, cache }: ReconcileContext,
): Promise<void> {
  const { name = '', namespace = 'default' } = binding.spec?.metalMachineRef ?? {};
  const holderText = keyText({ name, namespace });
  const isNoted = Object.hasOwn(binding.metadata.annotations ?? {}, ANNOTATIONS.movedAway);
  const holder = cache.get(metalMachine, { name, namespace });
  const isBack = holder !== undefined && !Object.hasOwn(holder.metadata.annotations ?? {}, ANNOTATIONS.deleteForMove);
  const isGone = !isBack && (isNoted || moved.has(holderText));
  if (isGone !== isNoted) {
    await patchObject(client, serverBinding, keyOf(binding), () => ({
      metadata: { annotations: { [ANNOTATIONS.movedAway]: isGone ? '' : null } },
    }));
  }
  moved.delete(holderText);
}

async function readInput(binding: ServerBinding, { client, cache }: ReconcileContext): Promise<ServerBindingInput> {
  const { name, labels, deletionTimestamp } = binding.metadata;
  const { name: holder = '', namespace = 'default' } = binding.spec?.metalMachineRef ?? {};
  const clusterName = labels?.[LABELS.clusterName];
  if (deletionTimestamp === undefined) {
    return { binding, server: cache.get(server, { name }), metalMachine: undefined, cluster: undefined };
  }
  const [holds, held, owner] = await Promise.all([
    findObject(client, server, { name }),
    holder === '' ? undefined : findObject(client, metalMachine, { name: holder, namespace }),
    clusterName === undefined ? undefined : findObject(client, cluster, { name: clusterName, namespace }),
  ]);
  return { binding, server: holds, metalMachine: held, cluster: owner };
}

async function reconcileOne(
  input: ServerBindingInput,
  context: ReconcileContext,
  options: ServerBindingControllerOptions,
): Promise<void> {
  const { client } = context;
  const { binding } = input;
  const key = keyOf(binding);
  const plan = planServerBinding(input);
  switch (plan.do) {
    case 'keep':
      if (plan.addFinalizer) await setFinalizer(client, serverBinding, key, FINALIZERS.serverBinding, 'present');
      if (plan.markServer) await markServer(context, key.name, binding.metadata.uid ?? '');
      if (binding.status?.ready === plan.ready) return;
      await patchStatus(context, serverBinding, key, () => ({ ready: plan.ready }));
      return;
    case 'hold':
      return hold(input, plan.wait, context);
    case 'release':
      await release(input, context, options);
      return setFinalizer(client, serverBinding, key, FINALIZERS.serverBinding, 'absent');
    case 'letGo':
      return setFinalizer(client, serverBinding, key, FINALIZERS.serverBinding, 'absent');
    case 'nothing':
      return;
  }
}

async function hold(
  { binding, server: held }: ServerBindingInput,
  wait: Wait,
  context: ReconcileContext,
): Promise<void> {
  await patchStatus(context, serverBinding, keyOf(binding), () => ({ conditions: [waitCondition(wait)] }));
  const event = waitEvent(binding.status?.conditions, wait);
  if (event === undefined) return;
  context.events.record(binding, event);
  if (held !== undefined) context.events.record(held, event);
}

async function release(
  { binding, server: freed }: ServerBindingInput,
  context: ReconcileContext,
  { timeline }: ServerBindingControllerOptions,
): Promise<void> {
  const { name, uid } = binding.metadata;
  const { name: holder, namespace } = binding.spec?.metalMachineRef ?? {};
  const holderText = keyText({ name: holder ?? '', ...(namespace === undefined ? {} : { namespace }) });
  await patchStatus(context, server, { name }, ({ status }) => {
    if (uid !== undefined && status?.released?.binding === uid) return undefined;
    const time = timeText(context.clock.nowMs());
    return { released: { time, metalMachine: holderText, ...(uid === undefined ? {} : { binding: uid }) } };
  });
  await markServer(context, name, undefined);
  if (freed === undefined) return;
  const message = `Server is released by MetalMachine ${holderText}`;
  context.events.record(freed, { type: 'Normal', reason: 'Released', message });
  context.log.info('server.released', { server: name, metalMachine: holderText });
  timeline?.record({
    source: 'alloc',
    about: { server: name, metalMachine: holderText },
    stage: 'Released',
    severity: 'info',
    event: 'Released',
    summary: `released by MetalMachine ${holderText}`,
  });
}

/** Set or take away the mark by which a Server knows that a binding holds it. */
async function markServer({ client }: ReconcileContext, name: string, uid: string | undefined): Promise<void> {
  await patchObject(client, server, { name }, ({ metadata }) =>
    metadata.annotations?.[ANNOTATIONS.boundTo] === uid
      ? undefined
      : { metadata: { annotations: { [ANNOTATIONS.boundTo]: uid ?? null } } },
  );
}
