import {
  type Controller,
  findObject,
  type ObjectCache,
  patchObject,
  type ReconcileContext,
  type Requeue,
  setFinalizer,
  watchSource,
} from '@bloomery/kube';
import {
  ANNOTATIONS,
  type Cluster,
  cluster as clusterKind,
  FINALIZERS,
  keyOf,
  LABELS,
  type Machine,
  machine as machineKind,
  type ObjectKey,
  secret,
  type TalosConfig,
  talosConfig,
  WAIT_REASONS,
} from '@bloomery/model';
import { type BloomeryError, isBloomeryError, type RandomBytes } from '@bloomery/ports';
import type { Wait } from '../../allocation/wait.ts';
import { controllerReference } from '../contract/owner-reference.ts';
import { refreshClientConfig } from './client-config.ts';
import { mendOwner, readClusterSecrets } from './cluster-secrets.ts';
import { available, clientReports, configProblems, waitReport } from './condition-reports.ts';
import { ownerReferenceOf, readOwner } from './config-owner.ts';
import { generateData } from './generate-data.ts';
import { dataSecretOf, planTalosConfig, type TalosConfigPlan } from './plan-talos-config.ts';
import { readSpec } from './read-spec.ts';
import { fail, failClient, SECRETS_RETRY_MS } from './report-failure.ts';
import { createSharedSecrets, type MakeSecrets } from './shared-secrets.ts';
import { reportTalosConfig } from './talos-config-status.ts';

/** What the controller needs beside its context. */
export interface TalosConfigDeps {
  readonly random: RandomBytes;
}

interface Deps extends TalosConfigDeps {
  readonly makeSecrets: MakeSecrets;
}

const CLIENT_CHECK_MS = 12 * 3_600_000;
/** A data Secret that nobody has used yet is looked after more often than one of a running machine. */
const DATA_CHECK_MS = 10 * 60_000;
/** Pools of machines are not watched: their kind may not be installed. */
const POOL_CHECK_MS = 30_000;

/** Makes the bootstrap data of each Machine out of its TalosConfig, and the secrets of its cluster (spec/cluster.md sections 3–6). */
export function createTalosConfigController({ random }: TalosConfigDeps): Controller<TalosConfig> {
  const deps: Deps = { random, makeSecrets: createSharedSecrets(random) };
  return {
    name: 'talosconfig',
    kind: talosConfig,
    concurrency: 10,
    watches: [watchSource(machineKind, configsOfMachine), watchSource(clusterKind, configsOfCluster)],
    writes: [
      'TalosConfig.status',
      'TalosConfig.metadata.finalizers(old)',
      'TalosConfig.metadata.annotations(regenerate-bootstrap-data)',
    ],
    reconcile: (key, context) => reconcile(deps, key, context),
  };
}

/** A control plane machine that is gone has an address less in the talosconfig, which those that are left keep current. */
function configsOfMachine(machine: Machine, cache: ObjectCache): readonly ObjectKey[] {
  const { metadata, spec } = machine;
  const isGone = cache.get(machineKind, keyOf(machine)) === undefined;
  if (!isGone || metadata.labels?.[LABELS.controlPlane] === undefined) return configOfMachine(machine);
  const left = cache
    .list(machineKind, metadata.namespace)
    .filter((m) => m.spec?.clusterName === spec?.clusterName && m.metadata.labels?.[LABELS.controlPlane] !== undefined);
  return [machine, ...left].flatMap((m) => configOfMachine(m));
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

async function reconcile(deps: Deps, key: ObjectKey, context: ReconcileContext): Promise<Requeue> {
  const config = await findObject(context.client, talosConfig, key);
  if (config === undefined) return {};
  const reference = ownerReferenceOf(config);
  const owner = await readOwner(context, config, reference);
  const { namespace = 'default' } = config.metadata;
  const name = owner?.clusterName ?? '';
  const cluster = name === '' ? undefined : await findObject(context.client, clusterKind, { name, namespace });
  const dataName = dataSecretOf(config, owner);
  const data = dataName === '' ? undefined : await findObject(context.client, secret, { name: dataName, namespace });
  const plan = planTalosConfig({ config, reference, owner, cluster, hasDataSecret: data !== undefined });
  if (data !== undefined && (plan.do === 'keep' || plan.do === 'adopt')) {
    await mendOwner(context, data, controllerReference(config));
  }
  const requeue = await act(deps, context, config, plan);
  return reference?.kind === 'MachinePool' && plan.do === 'wait' ? { afterMs: POOL_CHECK_MS } : requeue;
}

async function act(
  deps: Deps,
  context: ReconcileContext,
  config: TalosConfig,
  plan: TalosConfigPlan,
): Promise<Requeue> {
  switch (plan.do) {
    case 'nothing':
      return {};
    case 'dropFinalizer':
      await setFinalizer(context.client, talosConfig, keyOf(config), FINALIZERS.talosConfigOld, 'absent');
      return {};
    case 'wait':
      return await wait(context, config, plan.wait);
    case 'adopt':
      await adopt(context, config, plan.dataSecretName);
      return {};
    case 'generate':
      return await guarded(context, config, 'data secret', () => generate(deps, context, config, plan));
    case 'keep':
      return await keep(deps, context, config, plan);
  }
}

async function wait(context: ReconcileContext, config: TalosConfig, waiting: Wait): Promise<Requeue> {
  const isReady = config.status?.initialization?.dataSecretCreated === true;
  if (!isReady && waiting.reason !== 'Paused') {
    // What can never work is said now, not when everything else is there.
    const refused = specProblem(config);
    if (refused !== undefined) return await fail(context, config, 'data secret', refused);
  }
  const report = waitReport(waiting);
  const short = config.status?.waitingFor;
  const before = config.status?.conditions?.find((c) => c.type === 'DataSecretAvailable');
  await reportTalosConfig(context, keyOf(config), report);
  const isKnown = waiting.reason === 'Paused' ? short === report.waitingFor : before?.message === waiting.message;
  if (!isKnown) {
    const type = WAIT_REASONS[waiting.reason].normal ? 'Normal' : 'Warning';
    context.events.record(config, { type, reason: waiting.reason, message: `Waiting: ${waiting.message}.` });
  }
  return waiting.reason === 'BootstrapDataLost' ? { afterMs: SECRETS_RETRY_MS } : {};
}

function specProblem(config: TalosConfig): BloomeryError | undefined {
  try {
    readSpec(config, undefined);
    return undefined;
  } catch (error) {
    if (isBloomeryError(error) && error.code.startsWith('BLM_TALOS_')) return error;
    throw error;
  }
}

async function adopt(context: ReconcileContext, config: TalosConfig, dataSecretName: string): Promise<void> {
  await reportTalosConfig(context, keyOf(config), {
    observed: true,
    dataSecretName,
    waitingFor: null,
    conditions: [available()],
  });
  context.events.record(config, {
    type: 'Normal',
    reason: 'DataSecretAdopted',
    message: `The machine has its config in Secret ${dataSecretName}; it is not made again.`,
  });
}

async function generate(
  deps: Deps,
  context: ReconcileContext,
  config: TalosConfig,
  plan: Extract<TalosConfigPlan, { do: 'generate' }>,
): Promise<Requeue> {
  const { owner, cluster, dataSecretName } = plan;
  const made = await generateData(context, { config, owner, cluster, dataSecretName }, deps.makeSecrets);
  const invalid = made.problems.length === 0 ? undefined : configProblems(made.problems);
  const record = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
    context.events.record(config, { type, reason, message });
  for (const note of made.notes) record('Warning', 'ConfigNote', `${note}.`);
  if (invalid !== undefined) record('Warning', 'ConfigInvalid', `${invalid.message}.`);
  await reportTalosConfig(context, keyOf(config), {
    observed: true,
    dataSecretName,
    waitingFor: null,
    conditions: [available(), ...(invalid === undefined ? [] : [invalid])],
    without: invalid === undefined ? ['ConfigValid'] : [],
  });
  if (plan.again) await patchObject(context.client, talosConfig, keyOf(config), withoutRegenerate);
  record('Normal', 'DataSecretCreated', `The machine config is in Secret ${dataSecretName}.`);
  context.log.info('talosconfig.generated', {
    cluster: cluster.metadata.name,
    machine: owner.name,
    type: config.spec?.generateType,
  });
  return { afterMs: DATA_CHECK_MS };
}

function withoutRegenerate({ metadata }: TalosConfig) {
  return metadata.annotations?.[ANNOTATIONS.regenerateData] === undefined
    ? undefined
    : { metadata: { annotations: { [ANNOTATIONS.regenerateData]: null } } };
}

async function keep(
  deps: Deps,
  context: ReconcileContext,
  config: TalosConfig,
  plan: Extract<TalosConfigPlan, { do: 'keep' }>,
): Promise<Requeue> {
  const afterMs = plan.owner.hasNode ? CLIENT_CHECK_MS : DATA_CHECK_MS;
  const name = config.status?.dataSecretName ?? '';
  if (config.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'False') === true) {
    const message = `Secret ${name} is back; the machine config is not made again.`;
    context.events.record(config, { type: 'Normal', reason: 'DataSecretAdopted', message });
  }
  if (plan.refreshClient) {
    return await guarded(context, config, 'talosconfig', () => refresh(deps, context, config, plan.cluster, afterMs));
  }
  await reportTalosConfig(context, keyOf(config), { observed: true, waitingFor: null, conditions: [available()] });
  return { afterMs };
}

async function refresh(
  deps: Deps,
  context: ReconcileContext,
  config: TalosConfig,
  cluster: Cluster,
  afterMs: number,
): Promise<Requeue> {
  const bundle = await readClusterSecrets(context, cluster);
  if (bundle === undefined) {
    const why = `Secret ${cluster.metadata.name}-talos is gone: restore it from a backup`;
    await failClient(context, config, why);
    return { afterMs: DATA_CHECK_MS };
  }
  const { secretName, notAfterMs, written } = await refreshClientConfig(context, cluster, bundle, deps.random);
  const reports = clientReports(secretName, notAfterMs, context.clock.nowMs());
  const expiring = reports.find(({ type }) => type === 'ClientConfigExpiring');
  if (expiring !== undefined && !config.status?.conditions?.some(({ type }) => type === expiring.type)) {
    context.events.record(config, { type: 'Warning', reason: expiring.type, message: `${expiring.message}.` });
  }
  await reportTalosConfig(context, keyOf(config), {
    observed: true,
    waitingFor: null,
    conditions: [available(), ...reports],
    without: expiring === undefined ? ['ClientConfigExpiring'] : [],
  });
  if (written !== undefined) {
    const message = `Secret ${secretName} was written: ${written.why}.`;
    context.events.record(config, { type: 'Normal', reason: 'ClientConfigWritten', message });
  }
  return { afterMs };
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
    return await fail(context, config, what, error);
  }
}
