import type { Controller, ReconcileContext, Requeue } from '@bloomery/kube';
import { findObject, patchObject, patchStatus, setFinalizer } from '@bloomery/kube';
import type { MetalMachine, ObjectKey, Server } from '@bloomery/model';
import { ANNOTATIONS, FINALIZERS, keyOf, keyText, metalMachine, server, serverBinding } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { WorkloadClusters } from '../../clusters/workload/workload-clusters.ts';
import type { TimelineRecorder } from '../../insight/timeline.ts';
import type { Wait } from '../wait.ts';
import { waitEvent } from '../wait.ts';
import { serverBindingFor } from './bind.ts';
import { unfitness } from './candidates.ts';
import { createNodeInterest, type NodeInterest } from './node-interest.ts';
import type { MetalMachineInput, MetalMachinePlan } from './plan.ts';
import { planMetalMachine } from './plan.ts';
import { providerIdOf, setProviderIdOfNode } from './provider-set.ts';
import { isBoundTo, readMetalMachineInput } from './read-input.ts';
import { boundStatus, progressOf, waitingStatus } from './status.ts';
import { METAL_MACHINE_WATCHES } from './watches.ts';

export interface MetalMachineControllerOptions {
  readonly timeline?: TimelineRecorder;
  /** Access to workload clusters: Nodes get their provider id through it, and the condition ProviderSet. Neither without it. */
  readonly workload?: WorkloadClusters;
}

type Step = { readonly context: ReconcileContext; readonly key: ObjectKey; readonly input: MetalMachineInput };

/** The controller that gives every MetalMachine its Server and takes it away again (spec/metal.md §9). */
export function createMetalMachineController(options: MetalMachineControllerOptions = {}): Controller<MetalMachine> {
  const { workload } = options;
  const interest = createNodeInterest();
  return {
    name: 'metal-machine',
    kind: metalMachine,
    watches: METAL_MACHINE_WATCHES,
    ...(workload === undefined ? {} : { wakes: [interest.wakes(workload)] }),
    writes: [
      'MetalMachine.metadata.finalizers',
      'MetalMachine.metadata.annotations(allocated-through)',
      'MetalMachine.spec.serverRef',
      'MetalMachine.spec.providerID',
      'MetalMachine.status',
      'ServerBinding.spec.metalMachineRef',
      'ServerBinding.spec.serverClassRef',
      'Node.spec.providerID (workload cluster)',
    ],
    concurrency: 8,
    async reconcile(key, context) {
      const found = await findObject(context.client, metalMachine, key);
      if (found?.metadata.deletionTimestamp !== undefined || found === undefined) interest.forget(key);
      return found === undefined ? {} : reconcileOne(found, context, { ...options, interest });
    },
  };
}

type Options = MetalMachineControllerOptions & { readonly interest: NodeInterest };

async function reconcileOne(found: MetalMachine, context: ReconcileContext, options: Options): Promise<Requeue> {
  const input = readMetalMachineInput(found, context.cache);
  const step: Step = { context, key: keyOf(found), input };
  const plan = planMetalMachine(input);
  if (plan.do === 'follow') {
    await addFinalizer(step);
    await setProviderId(step, plan.binding.metadata.name);
    return follow(step, plan.binding, options);
  }
  await carryOut(step, plan, options);
  return {};
}

async function carryOut(
  step: Step,
  plan: Exclude<MetalMachinePlan, { do: 'follow' }>,
  options: Options,
): Promise<void> {
  const { context } = step;
  switch (plan.do) {
    case 'wait':
      return report(step, plan.wait);
    case 'release':
      for (const name of plan.bindings) await context.client.delete(serverBinding, { name });
      return report(step, plan.wait);
    case 'finish':
      return finish(step);
    case 'adopt':
      await addFinalizer(step);
      return setServerRef(step, plan.server, undefined);
    case 'allocate':
      await addFinalizer(step);
      return allocate(step, plan.candidates, plan.ifNone, options);
    case 'bind':
      await addFinalizer(step);
      return bindNamed(step, plan.server, options);
  }
}

async function addFinalizer({ context, key, input }: Step): Promise<void> {
  if (input.metalMachine.metadata.finalizers?.includes(FINALIZERS.metalMachine) === true) return;
  await setFinalizer(context.client, metalMachine, key, FINALIZERS.metalMachine, 'present');
}

async function report({ context, key, input }: Step, wait: Wait): Promise<void> {
  const { metalMachine: found } = input;
  const before = found.status?.conditions;
  const isDeleting = found.metadata.deletionTimestamp !== undefined;
  const phase = isDeleting ? 'Deleting' : input.binding !== undefined ? (found.status?.phase ?? 'Pending') : 'Pending';
  await patchStatus(context, metalMachine, key, () => ({ ...waitingStatus('Pending', wait), phase }));
  const event = waitEvent(before, wait, found.spec?.serverRef?.name || isDeleting ? wait.reason : 'AllocationBlocked');
  if (event !== undefined) context.events.record(found, event);
}

async function follow(
  { context, key, input }: Step,
  binding: NonNullable<MetalMachineInput['binding']>,
  { workload, interest }: Options,
): Promise<Requeue> {
  const before = input.metalMachine.status?.conditions;
  const { wait } = progressOf(binding, input.server);
  const server = binding.metadata.name;
  const owner = input.cluster && keyOf(input.cluster);
  if (owner !== undefined) interest.set(key, owner, server);
  const provided = workload && owner && (await setProviderIdOfNode(workload, owner, server, before));
  await patchStatus(context, metalMachine, key, (current) => {
    const status = boundStatus(current, binding, input.server);
    const conditions = [...(status.conditions ?? []), ...(provided === undefined ? [] : [provided.condition])];
    return { ...status, conditions };
  });
  for (const event of [wait && waitEvent(before, wait), provided?.event]) {
    if (event !== undefined) context.events.record(input.metalMachine, event);
  }
  return provided?.retryMs === undefined ? {} : { afterMs: provided.retryMs };
}

async function finish({ context, key }: Step): Promise<void> {
  // The cache may lag behind a binding made a moment ago: the last word is the API's.
  const { items } = await context.client.list(serverBinding);
  const found = await findObject(context.client, metalMachine, key);
  if (found === undefined) return;
  const left = items.filter((b) => isBoundTo(b, found));
  for (const { metadata } of left) await context.client.delete(serverBinding, { name: metadata.name });
  if (left.length === 0) await setFinalizer(context.client, metalMachine, key, FINALIZERS.metalMachine, 'absent');
}

async function allocate(
  step: Step,
  candidates: readonly string[],
  ifNone: Wait,
  options: MetalMachineControllerOptions,
): Promise<void> {
  const { context, input } = step;
  const { metalMachine: found, clusterName } = input;
  const { items } = await context.client.list(serverBinding);
  const own = items.find((b) => isBoundTo(b, found) && b.metadata.deletionTimestamp === undefined);
  if (own !== undefined) return setServerRef(step, own.metadata.name, undefined);
  const { serverClassRef } = found.spec ?? {};
  for (const name of candidates) {
    const candidate = await findObject(context.client, server, { name });
    if (candidate === undefined || unfitness(candidate) !== undefined) continue;
    const draft = serverBindingFor({
      server: name,
      metalMachine: found,
      clusterName,
      ...(serverClassRef === undefined ? {} : { serverClassRef }),
    });
    if (!(await createBinding(context, draft))) continue;
    announce(step, candidate, `through ServerClass ${serverClassRef?.name ?? ''}`, options);
    return setServerRef(step, name, serverClassRef?.name);
  }
  return report(step, ifNone);
}

async function bindNamed(step: Step, named: Server, options: MetalMachineControllerOptions): Promise<void> {
  const { context, input } = step;
  const { metalMachine: found, clusterName } = input;
  const isOurs = found.metadata.annotations?.[ANNOTATIONS.allocatedThrough] === found.spec?.serverClassRef?.name;
  const ref = isOurs ? found.spec?.serverClassRef : undefined;
  const draft = serverBindingFor({
    server: named.metadata.name,
    metalMachine: found,
    clusterName,
    ...(ref === undefined ? {} : { serverClassRef: ref }),
  });
  if (!(await createBinding(context, draft))) return;
  const unclean = named.status?.isClean === true ? '' : ' (it was not clean)';
  announce(step, named, `as its spec.serverRef asks${unclean}`, options);
}

async function createBinding(context: ReconcileContext, draft: ReturnType<typeof serverBindingFor>): Promise<boolean> {
  try {
    await context.client.create(serverBinding, draft);
    return true;
  } catch (error) {
    if (isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) return false;
    throw error;
  }
}

function announce(step: Step, taken: Server, how: string, options: MetalMachineControllerOptions): void {
  const { context, input, key } = step;
  const { name } = taken.metadata;
  const text = keyText(key);
  const event = { type: 'Normal', reason: 'Allocated' } as const;
  context.events.record(taken, { ...event, message: `Server is allocated to MetalMachine ${text} ${how}` });
  context.events.record(input.metalMachine, { ...event, message: `Server ${name} is allocated ${how}` });
  context.log.info('server.allocated', { server: name, metalMachine: text, cluster: input.clusterName });
  options.timeline?.record({
    source: 'alloc',
    about: {
      server: name,
      metalMachine: text,
      ...(input.machine === undefined ? {} : { machine: keyText(input.machine.metadata) }),
      ...(input.cluster === undefined ? {} : { cluster: keyText(input.cluster.metadata) }),
    },
    stage: 'Allocated',
    severity: 'info',
    event: 'Allocated',
    summary: `allocated to MetalMachine ${text} ${how}`,
  });
}

async function setServerRef({ context, key }: Step, name: string, through: string | undefined): Promise<void> {
  await patchObject(context.client, metalMachine, key, () => ({
    ...(through === undefined ? {} : { metadata: { annotations: { [ANNOTATIONS.allocatedThrough]: through } } }),
    spec: {
      serverRef: { apiVersion: 'metal.sidero.dev/v1alpha2', kind: 'Server', name },
      providerID: providerIdOf(name),
    },
  }));
}

async function setProviderId({ context, key, input }: Step, name: string): Promise<void> {
  const providerID = providerIdOf(name);
  if (input.metalMachine.spec?.providerID === providerID) return;
  await patchObject(context.client, metalMachine, key, ({ spec }) =>
    spec?.providerID === providerID ? undefined : { spec: { providerID } },
  );
}
