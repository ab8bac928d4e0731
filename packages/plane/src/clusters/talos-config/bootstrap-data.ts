import { isIPv6 } from 'node:net';
import type { Cluster, Machine, TalosConfig } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import {
  type ConfigDocument,
  type ConfigPatch,
  DEFAULT_KUBERNETES_VERSION,
  encodeDocuments,
  field,
  generateConfig,
  isAtLeast,
  isLegacy,
  isTooNew,
  isYamlMap,
  machineTypeOf,
  NEWEST_CONTRACT,
  operationsPatch,
  parseVersionContract,
  patchConfig,
  readConfig,
  readPatch,
  type SecretsBundle,
  scalarString,
  type VersionContract,
  writeConfig,
  writeYaml,
  type YamlTree,
} from '@bloomery/talos';

/** What the bootstrap data of a machine is made from. `bundle` is not needed with generateType none. */
export interface BootstrapInput {
  readonly config: TalosConfig;
  readonly machine: Machine;
  readonly cluster: Cluster;
  readonly bundle: SecretsBundle | undefined;
}

/** A machine's bootstrap data. */
export interface BootstrapData {
  /** YAML */
  readonly value: string;
  /** Things that people should know, for Events. Never values. */
  readonly notes: readonly string[];
  /** Kubernetes CA with its key, when the configuration holds one. PEM. */
  readonly kubernetesAuthority?: { readonly crt: string; readonly key: string };
}

const SECRET_VALUE_MAX_BYTES = 32 * 1024;

/** The contract of a talosVersion; the newest for an empty one. @throws BloomeryError BLM_TALOS_VERSION_INVALID */
export function contractOf(talosVersion: string | undefined): VersionContract {
  return talosVersion === undefined || talosVersion === '' ? NEWEST_CONTRACT : parseVersionContract(talosVersion);
}

/**
 * Make the bootstrap data of a machine (spec/cluster.md section 4). Pure.
 *
 * @throws BloomeryError BLM_TALOS_* when the data, a patch or the version cannot be used; never quotes values.
 */
export function makeBootstrapData(input: BootstrapInput): BootstrapData {
  const spec = input.config.spec;
  if (spec === undefined)
    throw new BloomeryError('BLM_TALOS_CONFIG_INVALID', 'making bootstrap data: the TalosConfig has no spec');
  const notes: string[] = [];
  const base = spec.generateType === 'none' ? readGiven(spec.data) : generate(input, notes);
  const named = hostnameOf(input);
  const asDocument = named !== undefined && hostnameIsDocument(spec.talosVersion);
  const start = named !== undefined && !asDocument ? withLegacyHostname(base, named) : base;
  const operations = (spec.configPatches ?? []).map(
    ({ op, path, value }): YamlTree => ({ op, path, value: value ?? null }),
  );
  if (operations.length > 0 && start.length > 1) {
    notes.push(
      'configPatches were applied to the v1alpha1 document of a configuration of several documents; Talos itself refuses this',
    );
  }
  const patches: ConfigPatch[] = [
    ...(operations.length === 0 ? [] : [operationsPatch(operations)]),
    ...(spec.strategicPatches ?? []).map((text, i) => readPatch(text, 'strict', `strategic patch ${i + 1}`)),
    ...(asDocument ? [hostnamePatch(named)] : []),
  ];
  const documents = patchConfig(writeConfig(start, 'strict'), patches, {
    strictness: 'strict',
    jsonPatchOnSeveral: 'legacyDocument',
  });
  const value = writeConfig(documents, 'strict');
  if (Buffer.byteLength(value) >= SECRET_VALUE_MAX_BYTES)
    notes.push(`the bootstrap data has ${Buffer.byteLength(value)} bytes, more than 32 KiB`);
  const kubernetesAuthority = kubernetesAuthorityOf(documents);
  return { value, notes, ...(kubernetesAuthority === undefined ? {} : { kubernetesAuthority }) };
}

function readGiven(data: string | undefined): ConfigDocument[] {
  if (data === undefined || data === '')
    throw new BloomeryError('BLM_TALOS_CONFIG_INVALID', 'reading spec.data: it is required with generateType none');
  const documents = readConfig(data, 'strict', 'spec.data');
  if (documents.length === 0)
    throw new BloomeryError('BLM_TALOS_CONFIG_INVALID', 'reading spec.data: config not found');
  return documents;
}

function generate({ config, machine, cluster, bundle }: BootstrapInput, notes: string[]): ConfigDocument[] {
  const { generateType = '', talosVersion } = config.spec ?? {};
  const machineType = machineTypeOf(generateType);
  if (machineType === undefined)
    throw new BloomeryError(
      'BLM_TALOS_CONFIG_INVALID',
      `generating a configuration: unknown generateType ${generateType}`,
    );
  if (bundle === undefined)
    throw new BloomeryError('BLM_TALOS_SECRETS_INVALID', 'generating a configuration: no secrets bundle');
  const asked = contractOf(talosVersion);
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
    kubernetesVersion: (machine.spec?.version ?? '').replace(/^v/, '') || DEFAULT_KUBERNETES_VERSION,
    dnsDomain: clusterNetwork?.serviceDomain ?? '',
    podSubnets: clusterNetwork?.pods?.cidrBlocks ?? [],
    serviceSubnets: clusterNetwork?.services?.cidrBlocks ?? [],
  });
}

function hostnameOf({ config, machine }: BootstrapInput): string | undefined {
  switch (config.spec?.hostname?.source) {
    case 'MachineName':
      return machine.metadata.name;
    case 'InfrastructureName':
      return machine.spec?.infrastructureRef.name;
    default:
      return undefined;
  }
}

/** From 1.12.0-beta.0 the host name is a document of its own; an empty talosVersion does not count as new here (upstream). */
function hostnameIsDocument(talosVersion: string | undefined): boolean {
  if (talosVersion === undefined || talosVersion === '') return false;
  return isAtLeast(parseVersionContract(talosVersion), 12) && !/^v?1\.12\.0-alpha/.test(talosVersion);
}

function withLegacyHostname(documents: readonly ConfigDocument[], hostname: string): ConfigDocument[] {
  return patchConfig(
    writeConfig(documents, 'strict'),
    [readPatch(writeYaml({ machine: { network: { hostname } } }), 'strict')],
    {
      strictness: 'strict',
    },
  );
}

const hostnamePatch = (hostname: string): ConfigPatch =>
  readPatch(
    writeYaml({ apiVersion: 'v1alpha1', kind: 'HostnameConfig', auto: 'off', hostname }),
    'strict',
    'host name',
  );

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
