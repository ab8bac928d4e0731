import { patchObject, type ReconcileContext, setFinalizer } from '@bloomery/kube';
import {
  ANNOTATIONS,
  type Cluster,
  FINALIZERS,
  keyOf,
  node as nodeKind,
  type TalosControlPlane,
  talosControlPlane,
} from '@bloomery/model';
import { BloomeryError, isBloomeryError } from '@bloomery/ports';
import type { TalosApi, TalosNode } from '@bloomery/talos';
import { claimTemplate } from '../contract/claim-template.ts';
import type { WorkloadClusters } from '../workload/workload-clusters.ts';
import { actOnMachine } from './act-on-machine.ts';
import type { ControlPlaneAction } from './action.ts';
import { readBootstrapChoice, writeBootstrapChoice } from './bootstrap-choice.ts';
import { type ChangeInPlaceDeps, changeInPlace } from './change-in-place.ts';
import { type CreateMachineDeps, createMachine } from './create-machine.ts';
import { say, sayOfMachine } from './say-change.ts';
import { timeOf } from './status.ts';
import type { TalosCredentialStore } from './talos-credentials.ts';

/** What changes need beside the context of the controller. */
export interface ActDeps extends CreateMachineDeps, ChangeInPlaceDeps {
  readonly talos: TalosApi;
  readonly workload: WorkloadClusters;
  readonly credentials: TalosCredentialStore;
}

/** Whose control plane is changed. */
export interface ActSubject {
  readonly controlPlane: TalosControlPlane;
  readonly cluster: Cluster | undefined;
}

/** Leaving moves data and stops etcd: it may take longer than a question. */
const CHANGE_TIMEOUT_MS = 15_000;

/**
 * Make one change. Whatever is interrupted here is seen at the next look and done again, or found done. Says what was done by
 * Events on the control plane and the Machine.
 *
 * @throws what the API or the machine refused; the outcome is unknown after BLM_TALOS_API_UNREACHABLE.
 */
export async function act(
  deps: ActDeps,
  context: ReconcileContext,
  subject: ActSubject,
  action: ControlPlaneAction,
): Promise<void> {
  const { client } = context;
  const key = keyOf(subject.controlPlane);
  switch (action.do) {
    case 'addFinalizer':
      return await setFinalizer(client, talosControlPlane, key, FINALIZERS.talosControlPlane, 'present');
    case 'removeFinalizer':
      return await setFinalizer(client, talosControlPlane, key, FINALIZERS.talosControlPlane, 'absent');
    case 'createMachine': {
      const name = await createMachine(deps, context, { ...action, ...subject, cluster: clusterOf(subject) });
      return say(context, subject, 'MachineCreated', `Machine ${name} was made.`);
    }
    case 'chooseBootstrap':
    case 'releaseBootstrap':
    case 'bootstrap':
      return await actOnBootstrap(deps, context, subject, action);
    case 'leaveEtcd': {
      const node = await talosNode(deps, context, subject, action.node);
      await forfeitLeadership(node);
      await node.etcdLeaveCluster();
      return await sayOfMachine(
        context,
        subject,
        action.machine,
        'EtcdMemberLeft',
        `Machine ${action.machine} left etcd.`,
      );
    }
    case 'removeMember':
      await (await talosNode(deps, context, subject, action.node)).etcdRemoveMember(action.id);
      return say(context, subject, 'EtcdMemberRemoved', `${action.who} was removed from etcd through ${action.node}.`);
    case 'markLeaving':
    case 'deleteMachine':
    case 'releaseHook':
    case 'settleMachine':
      return await actOnMachine(context, subject, action);
    case 'deleteNode':
      return await deleteNode(deps, context, subject, action);
    case 'claimTemplate':
      return await claimTemplate(
        { ...deps.kinds, client },
        subject.controlPlane.spec?.infrastructureTemplate,
        clusterOf(subject),
      );
    case 'changeInPlace':
      return await changeInPlace(
        deps,
        context,
        { ...subject, cluster: clusterOf(subject) },
        {
          machine: action.machine,
          node: await talosNode(deps, context, subject, action.node),
          say: (reason, message) => sayOfMachine(context, subject, action.machine, reason, message),
        },
      );
  }
}

function clusterOf({ cluster, controlPlane }: ActSubject): Cluster {
  if (cluster !== undefined) return cluster;
  throw new BloomeryError(
    'BLM_API_NOT_FOUND',
    `changing TalosControlPlane ${controlPlane.metadata.name}: its Cluster is gone`,
  );
}

async function talosNode(
  { talos, credentials }: ActDeps,
  { client }: ReconcileContext,
  subject: ActSubject,
  address: string,
): Promise<TalosNode> {
  const answer = await credentials.of(client, keyOf(clusterOf(subject)));
  if (!answer.ok) throw new BloomeryError('BLM_TALOS_SECRETS_INVALID', answer.why, { retryable: true });
  return talos.node(address, answer.credentials, { timeoutMs: CHANGE_TIMEOUT_MS });
}

/** A member that cannot hand over may leave all the same: the others elect a leader then. */
async function forfeitLeadership(node: TalosNode): Promise<void> {
  try {
    await node.etcdForfeitLeadership();
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_TALOS_API_REFUSED')) throw error;
  }
}

async function actOnBootstrap(
  deps: ActDeps,
  context: ReconcileContext,
  subject: ActSubject,
  action: Extract<ControlPlaneAction, { do: 'chooseBootstrap' | 'releaseBootstrap' | 'bootstrap' }>,
): Promise<void> {
  const { machine } = action;
  if (action.do === 'releaseBootstrap') {
    await changeChoice(context, subject, (have) => (have?.machine === machine ? null : undefined));
    return say(context, subject, 'BootstrapReleased', `Another machine may be bootstrapped: ${action.why}.`);
  }
  const at = timeOf(context.clock.nowMs());
  if (action.do === 'chooseBootstrap') {
    const choice = writeBootstrapChoice({ machine, node: action.node, at, answered: '' });
    // Decided by what is stored at that moment: a choice that is there stays.
    await changeChoice(context, subject, (have) => (have === undefined ? choice : undefined));
    return say(context, subject, 'BootstrapChosen', `Machine ${machine} (${action.node}) bootstraps etcd.`);
  }
  try {
    await (await talosNode(deps, context, subject, action.node)).bootstrap();
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_TALOS_API_REFUSED') || error.facts['status'] !== 'ALREADY_EXISTS') throw error;
  }
  await changeChoice(context, subject, (have) =>
    have?.machine === machine ? writeBootstrapChoice({ ...have, answered: at }) : undefined,
  );
  await sayOfMachine(
    context,
    subject,
    machine,
    'Bootstrapped',
    `Machine ${machine} was told to bootstrap etcd and agreed.`,
  );
}

async function changeChoice(
  { client }: ReconcileContext,
  { controlPlane }: ActSubject,
  change: (have: ReturnType<typeof readBootstrapChoice>) => string | null | undefined,
): Promise<void> {
  await patchObject(client, talosControlPlane, keyOf(controlPlane), (current) => {
    const next = change(readBootstrapChoice(current));
    return next === undefined ? undefined : { metadata: { annotations: { [ANNOTATIONS.bootstrapChoice]: next } } };
  });
}

async function deleteNode(
  { workload }: ActDeps,
  context: ReconcileContext,
  subject: ActSubject,
  action: Extract<ControlPlaneAction, { do: 'deleteNode' }>,
): Promise<void> {
  try {
    await workload.client(keyOf(clusterOf(subject))).delete(nodeKind, { name: action.node });
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
  }
  say(context, subject, 'NodeDeleted', `Node ${action.node} of Machine ${action.machine}, which is gone, was deleted.`);
}
