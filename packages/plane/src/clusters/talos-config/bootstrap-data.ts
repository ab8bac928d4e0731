import { isIPv6 } from 'node:net';
import type { Cluster, TalosConfig } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import {
  type ConfigDocument,
  DEFAULT_KUBERNETES_VERSION,
  encodeDocuments,
  field,
  generateConfig,
  isLegacy,
  isTooNew,
  isYamlMap,
  loadConfig,
  NEWEST_CONTRACT,
  patchConfig,
  type SecretsBundle,
  scalarString,
  validateConfig,
  writeConfig,
  type YamlTree,
} from '@bloomery/talos';
import type { ConfigOwner } from './config-owner.ts';
import { contractOf } from './lowest-contract.ts';
import { hostnameOf, readSpec, type TalosConfigSpec, withLegacyHostname } from './read-spec.ts';

/** What the bootstrap data of a machine is made from. `bundle` is not needed with generateType none. */
export interface BootstrapInput {
  readonly config: TalosConfig;
  readonly owner: ConfigOwner;
  readonly cluster: Cluster;
  readonly bundle: SecretsBundle | undefined;
}

/** A machine's bootstrap data. */
export interface BootstrapData {
  /** YAML */
  readonly value: string;
  /** Things that people should know, for Events. Never values. */
  readonly notes: readonly string[];
  /** Why Talos will refuse it, or a provider cannot carry it. Empty: fine. */
  readonly problems: readonly string[];
  /** Kubernetes CA with its key, when the configuration holds one. PEM. */
  readonly kubernetesAuthority?: { readonly crt: string; readonly key: string };
}

/** What providers of upstream carry at most. */
const MAX_BYTES = 32 * 1024;
/** Marks user data for machines whose cloud tells kinds of it apart by the first line. */
const PACKET_PREFIX = '#!talos\n';
const PACKET_KINDS = ['PacketMachine', 'PacketMachinePool'];

/**
 * Make the bootstrap data of a machine (spec/cluster.md section 4). Pure.
 *
 * @throws BloomeryError BLM_TALOS_* when the data, a patch or the version cannot be used; names the field, never quotes values.
 */
export function makeBootstrapData(input: BootstrapInput): BootstrapData {
  const { config, owner } = input;
  const { spec } = config;
  if (spec === undefined)
    throw new BloomeryError('BLM_TALOS_CONFIG_INVALID', 'making a machine config: the TalosConfig has no spec');
  const notes: string[] = [];
  const base = spec.generateType === 'none' ? loadConfig(spec.data ?? '', 'spec.data') : generate(input, spec, notes);
  const hostname = hostnameOf(config, owner);
  const { patches, hostnameIsDocument } = readSpec(config, hostname);
  const start = hostname !== undefined && !hostnameIsDocument ? withLegacyHostname(base, hostname) : base;
  const documents = patchConfig(writeConfig(start, 'strict'), patches, {
    strictness: 'strict',
    jsonPatchOnSeveral: 'legacyDocument',
  });
  const lenient = start.length > 1 ? patches.filter(({ kind }) => kind === 'json').map(({ what }) => what) : [];
  if (lenient.length > 0) {
    notes.push(
      `${lenient.join(', ')}: a JSON patch was applied to the v1alpha1 document of a configuration of several documents; upstream refuses it`,
    );
  }
  const prefix = PACKET_KINDS.includes(owner.infrastructure.kind) ? PACKET_PREFIX : '';
  const value = `${prefix}${writeConfig(documents, 'strict')}`;
  const kubernetesAuthority = kubernetesAuthorityOf(documents);
  return {
    value,
    notes,
    problems: problemsOf(documents, value, owner),
    ...(kubernetesAuthority === undefined ? {} : { kubernetesAuthority }),
  };
}

function problemsOf(documents: readonly ConfigDocument[], value: string, owner: ConfigOwner): string[] {
  // The disk of a metal machine comes later, out of the patches of its Server.
  const isMetal = owner.infrastructure.kind === 'MetalMachine';
  const { errors } = validateConfig(documents, { mode: isMetal ? 'metal' : 'cloud', installDisk: 'later' });
  const bytes = Buffer.byteLength(value);
  if (bytes < MAX_BYTES) return [...errors];
  return [...errors, `the machine config has ${bytes} bytes; infrastructure providers carry less than ${MAX_BYTES}`];
}

function generate({ config, owner, cluster, bundle }: BootstrapInput, spec: TalosConfigSpec, notes: string[]) {
  const { machineType } = readSpec(config, undefined);
  if (bundle === undefined || machineType === undefined)
    throw new BloomeryError('BLM_TALOS_SECRETS_INVALID', 'generating a machine config: no secrets bundle');
  const asked = contractOf(spec.talosVersion);
  const contract = isTooNew(asked) ? NEWEST_CONTRACT : asked;
  if (contract !== asked) {
    notes.push(
      `talosVersion ${asked.major}.${asked.minor} is newer than this release knows; the 1.${contract.minor} form was generated, which it still reads`,
    );
  }
  const { clusterNetwork, controlPlaneEndpoint } = cluster.spec ?? {};
  const { host = '', port = 6443 } = controlPlaneEndpoint ?? {};
  return generateConfig({
    bundle,
    contract,
    machineType,
    clusterName: cluster.metadata.name,
    endpoint: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    kubernetesVersion: owner.version.replace(/^v/, '') || DEFAULT_KUBERNETES_VERSION,
    dnsDomain: clusterNetwork?.serviceDomain ?? '',
    podSubnets: clusterNetwork?.pods?.cidrBlocks ?? [],
    serviceSubnets: clusterNetwork?.services?.cidrBlocks ?? [],
  });
}

function kubernetesAuthorityOf(
  documents: readonly ConfigDocument[],
): { readonly crt: string; readonly key: string } | undefined {
  const legacy = encodeDocuments(documents.filter(isLegacy))[0];
  const at = (tree: YamlTree | undefined, key: string): YamlTree | undefined =>
    isYamlMap(tree) ? field(tree, key) : undefined;
  const authority = at(at(legacy, 'cluster'), 'ca');
  const pem = (key: string): string => Buffer.from(scalarString(at(authority, key)) ?? '', 'base64').toString('utf8');
  const [crt, key] = [pem('crt'), pem('key')];
  return crt === '' || key === '' ? undefined : { crt, key };
}
