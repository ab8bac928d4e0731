import { type ConditionChange, findCondition, patchStatus, type ReconcileContext } from '@bloomery/kube';
import { type Cluster, keyOf, type TalosControlPlane, talosControlPlane } from '@bloomery/model';
import type { RandomBytes } from '@bloomery/ports';
import { ensureKubeconfig } from '../workload/kubeconfig-secret.ts';
import { differs } from './differs.ts';

/** The kubeconfig of the cluster belongs to its control plane; half of its life is the time to make a new one. */
export async function keepKubeconfig(
  { random }: { readonly random: RandomBytes },
  context: ReconcileContext,
  found: TalosControlPlane,
  cluster: Cluster | undefined,
): Promise<{ readonly renewInMs: number | undefined }> {
  const { host = '', port = 0 } = cluster?.spec?.controlPlaneEndpoint ?? {};
  const isGoing = [found, cluster].some((object) => object?.metadata.deletionTimestamp !== undefined);
  if (cluster === undefined || host === '' || isGoing) return { renewInMs: undefined };
  const { client, clock } = context;
  const outcome = await ensureKubeconfig(
    { client, clock, random },
    { cluster, owner: found, endpoint: { host, port } },
  );
  if (outcome.state === 'broken') {
    const before = findCondition(found.status?.conditions, 'KubeconfigAvailable');
    if (before?.message !== outcome.message) {
      context.events.record(found, { type: 'Warning', reason: 'KubeconfigFailed', message: outcome.message });
    }
  }
  const condition: ConditionChange =
    outcome.state === 'ready' || outcome.state === 'foreign'
      ? { type: 'KubeconfigAvailable', status: 'True' }
      : {
          type: 'KubeconfigAvailable',
          status: 'False',
          reason: outcome.state === 'broken' ? 'KubeconfigFailed' : 'WaitingForAuthority',
          severity: outcome.state === 'broken' ? 'Error' : 'Info',
          message: outcome.message,
        };
  if (differs(condition, found.status?.conditions)) {
    await patchStatus(context, talosControlPlane, keyOf(found), () => ({ conditions: [condition] }));
  }
  if (outcome.state !== 'ready') return { renewInMs: undefined };
  if (outcome.written !== undefined) {
    const message = `${outcome.written.slice(0, 1).toUpperCase()}${outcome.written.slice(1)}.`;
    context.events.record(found, { type: 'Normal', reason: 'KubeconfigWritten', message });
  }
  // Timers of a process are short against half a year; a day is soon enough to look again.
  return { renewInMs: Math.min(86_400_000, Math.max(1000, outcome.renewAtMs - clock.nowMs())) };
}
