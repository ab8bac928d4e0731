import {
  type Controller,
  findObject,
  type ObjectCache,
  type ReconcileContext,
  type Requeue,
  watchSource,
} from '@bloomery/kube';
import {
  type Cluster,
  cluster as clusterKind,
  keyOf,
  type Machine,
  machine as machineKind,
  type ObjectKey,
  type TalosConfig,
  talosConfig,
} from '@bloomery/model';
import { errorText, isBloomeryError, type RandomBytes } from '@bloomery/ports';
import { isAtLeast, type VersionContract } from '@bloomery/talos';
import { contractOf, makeBootstrapData } from './bootstrap-data.ts';
import { refreshClientConfig } from './client-config.ts';
import { controllerReference, ensureSecret, ensureSecretsBundle } from './cluster-secrets.ts';
import { planTalosConfig, type TalosConfigPlan } from './plan-talos-config.ts';
import { type ConditionReport, reportTalosConfig } from './talos-config-status.ts';

/** What the controller needs beside its context. */
export interface TalosConfigDeps {
  readonly random: RandomBytes;
}

const CLIENT_CHECK_MS = 12 * 3_600_000;

/** Makes the bootstrap data of each Machine out of its TalosConfig, and the secrets of its cluster (spec/cluster.md sections 3–6). */
export function createTalosConfigController(deps: TalosConfigDeps): Controller<TalosConfig> {
  return {
    name: 'talosconfig',
    kind: talosConfig,
    watches: [watchSource(machineKind, configOfMachine), watchSource(clusterKind, configsOfCluster)],
    writes: ['TalosConfig.status'],
    reconcile: (key, context) => reconcile(deps, key, context),
  };
}

function configOfMachine(machine: Machine): readonly ObjectKey[] {
  const { kind, name = '' } = machine.spec?.bootstrap.configRef ?? {};
  const { namespace = 'default' } = machine.metadata;
  return kind === 'TalosConfig' && name !== '' ? [{ name, namespace }] : [];
}

function configsOfCluster(cluster: Cluster, cache: ObjectCache): readonly ObjectKey[] {
  const machines = cache.list(machineKind, cluster.metadata.namespace);
  return machines.filter((m) => m.spec?.clusterName === cluster.metadata.name).flatMap((m) => configOfMachine(m));
}

async function reconcile(deps: TalosConfigDeps, key: ObjectKey, context: ReconcileContext): Promise<Requeue> {
  const config = await findObject(context.client, talosConfig, key);
  if (config === undefined) return {};
  const machine = await ownerMachine(context, config);
  const cluster = await clusterOf(context, machine);
  const plan = planTalosConfig({ config, machine, cluster });
  switch (plan.do) {
    case 'nothing':
      return {};
    case 'wait':
      await wait(context, config, plan);
      return {};
    case 'adopt':
      await reportTalosConfig(context, key, {
        observed: true,
        dataSecretName: plan.dataSecretName,
        conditions: [available()],
      });
      return {};
    case 'confirm':
      await reportTalosConfig(context, key, { observed: true, conditions: [available()] });
      return {};
    case 'generate':
      return await guarded(context, config, 'data secret', () =>
        generate(deps, context, config, plan.machine, plan.cluster),
      );
    case 'refreshClient':
      return await guarded(context, config, 'talosconfig', () => refresh(deps, context, config, plan.cluster));
  }
}

async function wait(
  context: ReconcileContext,
  config: TalosConfig,
  plan: Extract<TalosConfigPlan, { do: 'wait' }>,
): Promise<void> {
  const before = config.status?.conditions?.find((c) => c.type === 'DataSecretAvailable');
  await reportTalosConfig(context, keyOf(config), { observed: true, conditions: [notYet(plan.message, plan.reason)] });
  if (before?.message === plan.message) return;
  context.events.record(config, { type: 'Normal', reason: plan.reason, message: `Waiting: ${plan.message}.` });
}

async function ownerMachine(context: ReconcileContext, { metadata }: TalosConfig): Promise<Machine | undefined> {
  const owner = metadata.ownerReferences?.find(
    (o) => o.kind === 'Machine' && o.apiVersion.startsWith('cluster.x-k8s.io/'),
  );
  if (owner === undefined) return undefined;
  return await findObject(context.client, machineKind, {
    name: owner.name,
    namespace: metadata.namespace ?? 'default',
  });
}

async function clusterOf(context: ReconcileContext, machine: Machine | undefined): Promise<Cluster | undefined> {
  const name = machine?.spec?.clusterName ?? '';
  if (machine === undefined || name === '') return undefined;
  return await findObject(context.client, clusterKind, { name, namespace: machine.metadata.namespace ?? 'default' });
}

async function generate(
  deps: TalosConfigDeps,
  context: ReconcileContext,
  config: TalosConfig,
  machine: Machine,
  cluster: Cluster,
): Promise<Requeue> {
  const { namespace = 'default' } = config.metadata;
  const clusterName = cluster.metadata.name;
  const isGiven = config.spec?.generateType === 'none';
  const bundle = isGiven
    ? undefined
    : await ensureSecretsBundle(context, cluster, lowestContract(context, config, cluster), deps.random);
  const made = makeBootstrapData({ config, machine, cluster, bundle });
  const authority = bundle?.kubernetes ?? made.kubernetesAuthority;
  const clusterOwner = controllerReference(clusterKind, cluster);
  if (authority !== undefined) {
    const data = { 'tls.crt': authority.crt, 'tls.key': authority.key };
    await ensureSecret(context, {
      name: `${clusterName}-ca`,
      namespace,
      cluster: clusterName,
      owner: clusterOwner,
      data,
    });
  }
  const name = `${machine.metadata.name}-bootstrap-data`;
  const owner = controllerReference(talosConfig, config);
  await ensureSecret(context, { name, namespace, cluster: clusterName, owner, data: { value: made.value } });
  for (const note of made.notes)
    context.events.record(config, { type: 'Warning', reason: 'ConfigNote', message: `${note}.` });
  await reportTalosConfig(context, keyOf(config), { observed: true, dataSecretName: name, conditions: [available()] });
  context.events.record(config, {
    type: 'Normal',
    reason: 'DataSecretCreated',
    message: `The machine config is in Secret ${name}.`,
  });
  context.log.info('talosconfig.generated', {
    cluster: clusterName,
    machine: machine.metadata.name,
    type: config.spec?.generateType,
  });
  return {};
}

/** The oldest Talos of the cluster decides what its secrets hold, not the TalosConfig that happens to come first. */
function lowestContract(context: ReconcileContext, config: TalosConfig, cluster: Cluster): VersionContract {
  const others = configsOfCluster(cluster, context.cache).flatMap((key) => context.cache.get(talosConfig, key) ?? []);
  const versions = others.flatMap((other) => {
    try {
      return other.spec?.generateType === 'none' ? [] : [contractOf(other.spec?.talosVersion)];
    } catch {
      // Its own reconcile reports it.
      return [];
    }
  });
  return versions.reduce(
    (low, v) => (isAtLeast(v, low.minor) && v.major >= low.major ? low : v),
    contractOf(config.spec?.talosVersion),
  );
}

async function refresh(
  deps: TalosConfigDeps,
  context: ReconcileContext,
  config: TalosConfig,
  cluster: Cluster,
): Promise<Requeue> {
  const bundle = await ensureSecretsBundle(context, cluster, lowestContract(context, config, cluster), deps.random);
  await refreshClientConfig(context, cluster, bundle, deps.random);
  const client: ConditionReport = {
    type: 'ClientConfigAvailable',
    status: 'True',
    reason: 'Available',
    message: `Secret ${cluster.metadata.name}-talosconfig is current`,
  };
  await reportTalosConfig(context, keyOf(config), { observed: true, conditions: [available(), client] });
  return { afterMs: CLIENT_CHECK_MS };
}

/** Errors of the configuration itself become a condition and an Event, and wait for a change; others are retried. */
async function guarded(
  context: ReconcileContext,
  config: TalosConfig,
  what: 'data secret' | 'talosconfig',
  run: () => Promise<Requeue>,
): Promise<Requeue> {
  try {
    return await run();
  } catch (error) {
    if (!isBloomeryError(error) || !error.code.startsWith('BLM_TALOS_')) throw error;
    const text = errorText(error);
    const failed = what === 'data secret' ? dataFailure(text) : clientFailure(text);
    await reportTalosConfig(context, keyOf(config), {
      observed: false,
      conditions: what === 'data secret' ? [failed] : [available(), failed],
    });
    context.events.record(config, {
      type: 'Warning',
      reason: failed.old?.reason ?? failed.reason,
      message: failed.message,
    });
    context.log.warn('talosconfig.failed', { talosConfig: config.metadata.name, code: error.code, why: text });
    return {};
  }
}

const available = (): ConditionReport => ({
  type: 'DataSecretAvailable',
  status: 'True',
  reason: 'Available',
  message: 'the machine config is there',
});

const notYet = (message: string, reason: string): ConditionReport => ({
  type: 'DataSecretAvailable',
  status: 'False',
  reason: 'NotAvailable',
  message,
  old: { reason, severity: 'Info' },
});

const dataFailure = (text: string): ConditionReport => ({
  type: 'DataSecretAvailable',
  status: 'False',
  reason: 'InternalError',
  message: `Data secret generation failed: ${text}`,
  old: { reason: 'DataSecretGenerationFailed', severity: 'Error' },
});

const clientFailure = (text: string): ConditionReport => ({
  type: 'ClientConfigAvailable',
  status: 'False',
  reason: 'InternalError',
  message: `talosconfig generation failure: ${text}`,
  old: { reason: 'ClientConfigGenerationFailed', severity: 'Error' },
});
