import { findObject, type ReconcileContext } from '@bloomery/kube';
import {
  type Cluster,
  cluster as clusterKind,
  keyOf,
  keyText,
  type Machine,
  machine as machineKind,
  type Node,
  type TalosConfig,
  type TalosControlPlane,
  talosConfig,
} from '@bloomery/model';
import { claimPatch } from '../contract/claim.ts';
import { controllerOf } from '../contract/owner-reference.ts';
import { type ProviderKinds, readProviderObject } from '../contract/provider-object.ts';
import type { WorkloadClusters } from '../workload/workload-clusters.ts';
import type { AskOptions, createMachineAsker, MachineAsker } from './ask-machine.ts';
import { readEtcd } from './etcd-health.ts';
import type { ControlPlaneMachine, ControlPlaneObservation, TalosAnswer, TemplateState } from './observation.ts';
import { restoreLabels } from './restore-labels.ts';
import { strategyOf } from './rollout.ts';
import { selectorOf } from './status.ts';
import type { StrayMemory } from './stray-memory.ts';
import type { TalosCredentialStore } from './talos-credentials.ts';

/** What looking at a control plane needs. */
export interface ObserveDeps {
  readonly kinds: ProviderKinds;
  readonly workload: WorkloadClusters;
  readonly credentials: TalosCredentialStore;
  readonly asker: ReturnType<typeof createMachineAsker>;
  readonly strays: StrayMemory;
}

/** The Cluster that owns a control plane; undefined while none does, or it is gone. */
export async function ownerCluster(
  { client }: Pick<ReconcileContext, 'client'>,
  { metadata }: TalosControlPlane,
): Promise<Cluster | undefined> {
  const owner = metadata.ownerReferences?.find(
    ({ kind, apiVersion }) => kind === 'Cluster' && apiVersion.startsWith('cluster.x-k8s.io/'),
  );
  if (owner === undefined) return undefined;
  return await findObject(client, clusterKind, { name: owner.name, namespace: metadata.namespace ?? 'default' });
}

/** Look at everything that the plan needs, through the API and the machines themselves, all machines at the same time. */
export async function observe(
  deps: ObserveDeps,
  context: ReconcileContext,
  controlPlane: TalosControlPlane,
  cluster: Cluster | undefined,
): Promise<ControlPlaneObservation> {
  if (cluster !== undefined) await restoreLabels(context, controlPlane, cluster);
  const [machines, template] = await Promise.all([
    readMachines(context, controlPlane, cluster),
    readTemplate(deps, context, controlPlane, cluster),
  ]);
  const clusterKey = cluster === undefined ? undefined : keyOf(cluster);
  const nodes = clusterKey === undefined ? undefined : deps.workload.nodes(clusterKey);
  // A cluster that is being deleted is not asked: nothing would follow from it, and dying machines answer late or never.
  const isAsked = cluster !== undefined && cluster.metadata.deletionTimestamp === undefined && machines.length > 0;
  const talos = isAsked ? await talosFor(deps, context, cluster, questionsFor(controlPlane)) : undefined;
  const asked = await Promise.all(machines.map((machine) => observeMachine(deps, context, machine, nodes, talos)));
  const strays = straysOf(asked);
  const seen = strays.length === 0 ? asked : await lookAgain(deps, context, { controlPlane, cluster, nodes, asked });
  const nowMs = context.clock.nowMs();
  return {
    nowMs,
    controlPlane,
    cluster,
    machines: seen,
    straysSince: deps.strays.note(keyText(keyOf(controlPlane)), straysOf(seen), nowMs),
    template,
    workload: clusterKey === undefined ? { state: 'noKubeconfig' } : deps.workload.state(clusterKey),
    nodes,
  };
}

const straysOf = (machines: readonly ControlPlaneMachine[]): readonly bigint[] =>
  readEtcd(machines).members.flatMap(({ member, machine }) => (machine === undefined ? [member.id] : []));

/**
 * Etcd names a member that no machine is, but the machines were read before etcd was asked: one may have got its address and
 * joined in between. So they are read once more, with the answers that there are.
 */
async function lookAgain(
  deps: ObserveDeps,
  context: ReconcileContext,
  before: Pick<ControlPlaneObservation, 'controlPlane' | 'cluster' | 'nodes'> & {
    readonly asked: readonly ControlPlaneMachine[];
  },
): Promise<readonly ControlPlaneMachine[]> {
  const machines = await readMachines(context, before.controlPlane, before.cluster);
  const answers = new Map(before.asked.map(({ name, talos }) => [name, talos]));
  const known: Ask = async ({ metadata }) => answers.get(metadata.name) ?? { state: 'noAddress' };
  return await Promise.all(machines.map((machine) => observeMachine(deps, context, machine, before.nodes, known)));
}

/** The Machines of the control plane, the oldest first; those that somebody else controls are not ours. */
async function readMachines(
  { client }: ReconcileContext,
  controlPlane: TalosControlPlane,
  cluster: Cluster | undefined,
): Promise<readonly Machine[]> {
  const { namespace = 'default', name } = controlPlane.metadata;
  const labels = cluster === undefined ? controlPlane.status?.selector : selectorOf(cluster.metadata.name);
  if (labels === undefined) return [];
  const { items } = await client.list(machineKind, { namespace, labels });
  const ours = items.filter(({ metadata }) => {
    const controller = controllerOf({ metadata });
    return controller === undefined || (controller.kind === 'TalosControlPlane' && controller.name === name);
  });
  const age = ({ metadata }: Machine): string => `${metadata.creationTimestamp ?? ''} ${metadata.name}`;
  return [...ours].sort((a, b) => (age(a) < age(b) ? -1 : 1));
}

/** Only what the plan may need. */
function questionsFor(controlPlane: TalosControlPlane): AskOptions {
  return {
    withData: controlPlane.status?.bootstrapped !== true,
    withVersion: strategyOf(controlPlane).type === 'InPlace',
  };
}

type Ask = (machine: Machine) => Promise<TalosAnswer>;

async function talosFor(
  deps: ObserveDeps,
  context: ReconcileContext,
  cluster: Cluster,
  questions: AskOptions,
): Promise<Ask> {
  const key = keyOf(cluster);
  const answer = await deps.credentials.of(context.client, key);
  if (!answer.ok) return async () => ({ state: 'noCredentials', why: answer.why });
  const asker: MachineAsker = deps.asker.with(answer.credentials, () => deps.credentials.doubt(key));
  return (machine) => asker.ask(machine, keyOf(machine), questions);
}

async function observeMachine(
  { kinds }: ObserveDeps,
  { client }: ReconcileContext,
  machine: Machine,
  nodes: readonly Node[] | undefined,
  ask: Ask | undefined,
): Promise<ControlPlaneMachine> {
  const { namespace = 'default', name } = machine.metadata;
  const [infrastructure, config, talos] = await Promise.all([
    readProviderObject({ ...kinds, client }, machine.spec?.infrastructureRef, namespace),
    readConfig(client, machine),
    ask === undefined ? ({ state: 'noAddress' } as const) : ask(machine),
  ]);
  const nodeName = machine.status?.nodeRef?.name;
  const node = nodeName === undefined ? undefined : nodes?.find(({ metadata }) => metadata.name === nodeName);
  return { name, machine, config, infrastructure, talos, node };
}

async function readConfig(
  client: ReconcileContext['client'],
  { metadata, spec }: Machine,
): Promise<TalosConfig | undefined> {
  const { kind, name } = spec?.bootstrap.configRef ?? {};
  if (kind !== 'TalosConfig' || name === undefined) return undefined;
  return await findObject(client, talosConfig, { name, namespace: metadata.namespace ?? 'default' });
}

async function readTemplate(
  { kinds }: ObserveDeps,
  { client }: ReconcileContext,
  controlPlane: TalosControlPlane,
  cluster: Cluster | undefined,
): Promise<TemplateState> {
  const ref = controlPlane.spec?.infrastructureTemplate;
  const found = await readProviderObject({ ...kinds, client }, ref, controlPlane.metadata.namespace ?? 'default');
  if (found === undefined) return { ok: false, why: 'spec.infrastructureTemplate names no template' };
  if (found.kind === undefined)
    return {
      ok: false,
      why: `no kind of ${found.text} is installed; install it or correct spec.infrastructureTemplate`,
    };
  if (found.object === undefined) return { ok: false, why: `${found.text} does not exist; create it` };
  const claim = cluster && { owner: cluster, clusterName: cluster.metadata.name, asController: false };
  const isClaimed =
    claim === undefined || !found.kind.kind.endsWith('Template') || claimPatch(found.object, claim) === undefined;
  return { ok: true, groupKind: `${found.kind.kind}.${found.kind.group}`, isClaimed };
}
