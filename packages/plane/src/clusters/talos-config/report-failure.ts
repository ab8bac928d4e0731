import type { ReconcileContext, Requeue } from '@bloomery/kube';
import { keyOf, type TalosConfig } from '@bloomery/model';
import type { BloomeryError } from '@bloomery/ports';
import { waitingFor } from '../../allocation/wait.ts';
import { available, clientFailure, dataFailure } from './condition-reports.ts';
import { type ConditionReport, reportTalosConfig } from './talos-config-status.ts';

/** Secrets are not watched: whoever mends one is noticed by this. */
export const SECRETS_RETRY_MS = 30_000;

/** Say why the machine config, or the talosconfig of the cluster, cannot be made: a condition, and an Event when it is new. */
export async function fail(
  context: ReconcileContext,
  config: TalosConfig,
  what: 'data secret' | 'talosconfig',
  error: BloomeryError,
): Promise<Requeue> {
  const isSecrets = error.code === 'BLM_TALOS_SECRETS_INVALID';
  if (what === 'talosconfig') await failClient(context, config, error.message);
  else {
    const { name, namespace = 'default' } = config.metadata;
    const reason = isSecrets ? 'ClusterSecretsUnusable' : 'BootstrapConfigRefused';
    const failed = dataFailure(reason, `TalosConfig ${namespace}/${name}: ${error.message}`);
    await reportFailure(context, config, failed, waitingFor({ reason, message: failed.message }));
  }
  return isSecrets ? { afterMs: SECRETS_RETRY_MS } : {};
}

/** The machine config is there all the same. */
export const failClient = (context: ReconcileContext, config: TalosConfig, why: string): Promise<void> =>
  reportFailure(context, config, clientFailure(why), null);

async function reportFailure(
  context: ReconcileContext,
  config: TalosConfig,
  failed: ConditionReport,
  short: string | null,
): Promise<void> {
  const before = config.status?.conditions?.find(({ type }) => type === failed.type);
  const isData = failed.type === 'DataSecretAvailable';
  await reportTalosConfig(context, keyOf(config), {
    observed: false,
    waitingFor: short,
    conditions: isData ? [failed] : [available(), failed],
  });
  if (before?.message === failed.message) return;
  const reason = failed.old?.reason ?? failed.reason;
  context.events.record(config, { type: 'Warning', reason, message: failed.message });
  context.log.warn('talosconfig.failed', { talosConfig: config.metadata.name, why: failed.message });
}
