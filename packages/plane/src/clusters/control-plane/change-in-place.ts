import { findObject, patchObject, type ReconcileContext } from '@bloomery/kube';
import {
  ANNOTATIONS,
  type Cluster,
  keyOf,
  type Machine,
  machine as machineKind,
  secret,
  type TalosConfig,
  type TalosControlPlane,
} from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import {
  type ConfigDocument,
  diffConfigs,
  field,
  isLegacy,
  isYamlMap,
  loadSecretsBundle,
  readConfig,
  scalarString,
  type TalosNode,
} from '@bloomery/talos';
import { makeBootstrapData } from '../talos-config/bootstrap-data.ts';
import { secretText } from '../talos-config/cluster-secrets.ts';
import { machineOwner } from '../talos-config/config-owner.ts';
import { type InPlaceChange, writeInPlaceChange } from './in-place.ts';
import { configHash, configSpecOf } from './rollout.ts';
import { timeOf } from './status.ts';

/**
 * What a machine is really given: infrastructure may add to its bootstrap data (patches of a Server, the link). Takes and gives a
 * whole configuration. @throws BloomeryError when it cannot be said
 */
export type FinalConfig = (machine: Machine, bootstrapData: string) => Promise<string>;

export interface ChangeInPlaceDeps {
  readonly finalConfig?: FinalConfig;
}

interface Change {
  readonly machine: string;
  readonly node: TalosNode;
  readonly say: (reason: string, message: string) => Promise<void>;
}

interface Subject {
  readonly controlPlane: TalosControlPlane;
  readonly cluster: Cluster;
}

/** Infrastructure whose own part of the configuration only `FinalConfig` knows. */
const ADDING_KINDS: readonly string[] = ['MetalMachine'];
const INSTALLER = 'ghcr.io/siderolabs/installer';
const EVENT_MAX_CHARACTERS = 900;

/**
 * Give a running machine the configuration, Kubernetes and Talos of the spec: tried first, then applied, then upgraded. Recorded
 * on the Machine before and after; interrupted, it is done again, which changes nothing that is done.
 *
 * @throws BLM_TALOS_* when the configuration cannot be made or the machine refuses it; nothing is applied then.
 */
export async function changeInPlace(
  deps: ChangeInPlaceDeps,
  context: ReconcileContext,
  { controlPlane, cluster }: Subject,
  { machine: name, node, say }: Change,
): Promise<void> {
  const key = { ...keyOf(controlPlane), name };
  const found = await findObject(context.client, machineKind, key);
  const spec = configSpecOf(controlPlane);
  const version = controlPlane.spec?.version;
  if (found?.spec === undefined || spec === undefined) return;
  const wanted: Machine = { ...found, spec: { ...found.spec, ...(version === undefined ? {} : { version }) } };
  const { before, made, after } = await configsOf(deps, context, { controlPlane, cluster }, wanted, spec);
  const talos = await upgradeOf(node, spec.talosVersion);
  await node.applyConfiguration(after, { mode: 'auto', dryRun: true });
  const at = timeOf(context.clock.nowMs());
  const mark = async (
    change: InPlaceChange,
    more: Pick<Machine, 'spec'>['spec'] | undefined,
    done: boolean,
  ): Promise<void> => {
    await patchObject(context.client, machineKind, key, () => ({
      metadata: {
        annotations: {
          [ANNOTATIONS.changingInPlace]: writeInPlaceChange(change),
          ...(done ? { [ANNOTATIONS.appliedConfig]: configHash(spec) } : {}),
        },
      },
      ...(more?.version === undefined ? {} : { spec: { version: more.version } }),
    }));
  };
  await mark({ at, talos: talos ?? '', reboots: true }, undefined, false);
  const applied = await node.applyConfiguration(after, { mode: 'auto' });
  if (talos !== undefined) await node.upgrade(installerOf(readConfig(after, 'lenient'), talos));
  const reboots = applied.mode === 'reboot' || talos !== undefined;
  await mark({ at, talos: talos ?? '', reboots }, wanted.spec, true);
  await say('ChangedInPlace', `Machine ${name} was changed in place: ${diffText(before, made, talos)}.`);
}

/** What it was made with, what it would be made with now, and what it is to have. */
async function configsOf(
  deps: ChangeInPlaceDeps,
  { client }: ReconcileContext,
  { cluster }: Subject,
  machine: Machine,
  spec: NonNullable<TalosConfig['spec']>,
): Promise<{ readonly before: string; readonly made: string; readonly after: string }> {
  const { namespace = 'default', name } = machine.metadata;
  const read = async (secretName: string, entry: string): Promise<string | undefined> =>
    secretText(await findObject(client, secret, { name: secretName, namespace }), entry);
  const bundleText = await read(`${cluster.metadata.name}-talos`, 'bundle');
  const config: TalosConfig = {
    apiVersion: 'bootstrap.cluster.x-k8s.io/v1beta1',
    kind: 'TalosConfig',
    metadata: { name, namespace },
    spec,
  };
  const bundle = bundleText === undefined ? undefined : loadSecretsBundle(bundleText);
  const { value, problems } = makeBootstrapData({ config, owner: machineOwner(machine), cluster, bundle });
  if (problems.length > 0) {
    const text = `changing Machine ${name} in place: its configuration would not be valid: ${problems.join('; ')}`;
    throw new BloomeryError('BLM_TALOS_CONFIG_INVALID', text);
  }
  const before = (await read(machine.spec?.bootstrap.dataSecretName ?? '', 'value')) ?? '';
  if (deps.finalConfig !== undefined) return { before, made: value, after: await deps.finalConfig(machine, value) };
  const { kind = '' } = machine.spec?.infrastructureRef ?? {};
  if (!ADDING_KINDS.includes(kind)) return { before, made: value, after: value };
  const text = `changing Machine ${name} in place: what ${kind} adds to its configuration is not known here; use strategy RollingUpdate`;
  throw new BloomeryError('BLM_TALOS_CONFIG_INVALID', text);
}

/** The Talos version to upgrade to; undefined: it runs, or the spec names only a contract as `v1.11`. */
async function upgradeOf(node: TalosNode, talosVersion: string | undefined): Promise<string | undefined> {
  const wanted = /^v?(\d+\.\d+\.\d+[-0-9A-Za-z.]*)$/.exec(talosVersion ?? '')?.[1];
  if (wanted === undefined) return undefined;
  const { tag } = await node.version();
  return tag === `v${wanted}` ? undefined : `v${wanted}`;
}

/** The installer of the configuration, at this version. */
function installerOf(documents: readonly ConfigDocument[], version: string): string {
  const legacy = documents.find(isLegacy);
  const machine = legacy === undefined ? undefined : field(legacy.tree, 'machine');
  const install = isYamlMap(machine) ? field(machine, 'install') : undefined;
  const image = (isYamlMap(install) ? scalarString(field(install, 'image')) : undefined) ?? INSTALLER;
  const [plain = INSTALLER] = image.split('@');
  return `${plain.replace(/:[^:/]*$/, '')}:${version}`;
}

function diffText(before: string, after: string, talos: string | undefined): string {
  const changes = before === '' ? [] : diffConfigs(readConfig(before, 'lenient'), readConfig(after, 'lenient'));
  const texts = changes.map(({ document, path, change, from, to }) => {
    const values =
      change === 'changed' ? ` from ${from} to ${to}` : change === 'added' && to !== undefined ? ` (${to})` : '';
    return `${path === '' ? document : path} ${change}${values}`;
  });
  const all = [...(talos === undefined ? [] : [`Talos ${talos}`]), ...texts].join('; ');
  if (all === '') return 'its configuration is the same';
  return all.length <= EVENT_MAX_CHARACTERS ? all : `${all.slice(0, EVENT_MAX_CHARACTERS)} …`;
}
