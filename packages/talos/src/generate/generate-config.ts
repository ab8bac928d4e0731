import { isIPv6 } from 'node:net';
import { BloomeryError } from '@bloomery/ports';
import { type ConfigDocument, loadDocuments } from '../config/index.ts';
import type { PemPair, SecretsBundle } from '../secrets/secrets-bundle.ts';
import type { YamlMap, YamlTree } from '../yaml/index.ts';
import { isAtLeast, type VersionContract } from './version-contract.ts';

/** What a machine is in its cluster. */
export type MachineType = 'init' | 'controlplane' | 'worker';

/** Further wishes; upstream's generator has the same. */
export interface GenerateOptions {
  /** Further names and addresses of the Talos and Kubernetes API certificates. */
  readonly additionalSANs?: readonly string[];
  readonly allowSchedulingOnControlPlanes?: boolean;
  readonly installDisk?: string;
  readonly installImage?: string;
  readonly installExtraKernelArgs?: readonly string[];
  readonly localAPIServerPort?: number;
  /** Registry to its mirrors. */
  readonly registryMirrors?: Readonly<Record<string, readonly string[]>>;
}

/** What a configuration is generated from. */
export interface GenerateSource {
  readonly bundle: SecretsBundle;
  readonly clusterName: string;
  /** `https://host:port` of the Kubernetes API. */
  readonly endpoint: string;
  /** Without `v`. */
  readonly kubernetesVersion: string;
  readonly contract: VersionContract;
  readonly machineType: MachineType;
  readonly dnsDomain?: string;
  readonly podSubnets?: readonly string[];
  readonly serviceSubnets?: readonly string[];
  readonly options?: GenerateOptions;
}

/**
 * The machine configuration that Talos' own generator makes for this contract (spec/cluster.md section 6), in normal form.
 *
 * @throws BloomeryError BLM_TALOS_SECRETS_INVALID when the bundle lacks the encryption secret of the contract.
 */
export function generateConfig(source: GenerateSource): ConfigDocument[] {
  const legacy = {
    version: 'v1alpha1',
    debug: false,
    persist: true,
    machine: machineSection(source),
    cluster: clusterSection(source),
  };
  return loadDocuments([legacy, ...furtherDocuments(source)], 'strict', 'generated configuration');
}

/** Read a generateType: `join` and the empty text mean worker. undefined for anything that has no machine type. */
export function machineTypeOf(generateType: string): MachineType | undefined {
  if (generateType === 'join' || generateType === '') return 'worker';
  return generateType === 'init' || generateType === 'controlplane' || generateType === 'worker'
    ? generateType
    : undefined;
}

const isControlPlane = ({ machineType }: GenerateSource): boolean => machineType !== 'worker';

const encoded = (pem: string): string => Buffer.from(pem).toString('base64');

/** The key only where the machine may sign. */
const authority = ({ crt, key }: PemPair, withKey: boolean): YamlMap => ({
  crt: encoded(crt),
  key: withKey ? encoded(key) : '',
});

/** The entry when `condition` holds, else nothing. */
const when = (condition: boolean, entries: YamlMap): YamlMap => (condition ? entries : {});

function machineSection(source: GenerateSource): YamlMap {
  const { bundle, contract, options = {} } = source;
  const isCp = isControlPlane(source);
  return {
    type: source.machineType,
    token: bundle.trustdToken,
    ca: authority(bundle.os, isCp),
    certSANs: options.additionalSANs ?? [],
    kubelet: {
      image: `ghcr.io/siderolabs/kubelet:v${source.kubernetesVersion}`,
      ...when(isAtLeast(contract, 2), { defaultRuntimeSeccompProfileEnabled: true }),
      ...when(isAtLeast(contract, 3), { disableManifestsDirectory: true }),
    },
    ...when(!isAtLeast(contract, 13), { network: {} }),
    install: installSection(contract, options),
    registries: { mirrors: legacyMirrors(contract, options) },
    features: featuresSection(contract),
    ...when(isCp && isAtLeast(contract, 8), {
      nodeLabels: { 'node.kubernetes.io/exclude-from-external-load-balancers': '' },
    }),
  };
}

function installSection(contract: VersionContract, options: GenerateOptions): YamlMap {
  const { installDisk, installImage, installExtraKernelArgs } = options;
  return {
    ...(installDisk === undefined ? {} : { disk: installDisk }),
    ...(installExtraKernelArgs === undefined ? {} : { extraKernelArgs: installExtraKernelArgs }),
    ...(installImage === undefined ? {} : { image: installImage }),
    wipe: false,
    ...when(isAtLeast(contract, 12), { grubUseUKICmdline: true }),
  };
}

function legacyMirrors(contract: VersionContract, options: GenerateOptions): YamlMap {
  const own = isAtLeast(contract, 12) ? {} : (options.registryMirrors ?? {});
  const moved = contract.minor === 2 ? { 'k8s.gcr.io': ['https://registry.k8s.io', 'https://k8s.gcr.io'] } : {};
  return Object.fromEntries(
    Object.entries({ ...moved, ...own }).map(([registry, endpoints]) => [registry, { endpoints }]),
  );
}

function featuresSection(contract: VersionContract): YamlMap {
  const is = (minor: number): boolean => isAtLeast(contract, minor);
  return {
    ...when(!is(12), { rbac: true }),
    ...when(is(2) && !is(12), { stableHostname: true }),
    ...when(is(3) && !is(12), { apidCheckExtKeyUsage: true }),
    ...when(is(5), { diskQuotaSupport: true }),
    ...when(is(6), { kubePrism: { enabled: true, port: 7445 } }),
    ...when(is(7), { hostDNS: { enabled: true, ...when(is(8), { forwardKubeDNSToHost: true }) } }),
  };
}

function clusterSection(source: GenerateSource): YamlMap {
  const { bundle, contract } = source;
  const isCp = isControlPlane(source);
  return {
    id: bundle.clusterId,
    secret: bundle.clusterSecret,
    controlPlane: { endpoint: source.endpoint, ...localPort(source) },
    ...when(isCp || isAtLeast(contract, 8), { clusterName: source.clusterName }),
    network: networkSection(source),
    token: bundle.bootstrapToken,
    ca: authority(bundle.kubernetes, isCp),
    discovery: {
      enabled: true,
      registries: { kubernetes: when(isAtLeast(contract, 2), { disabled: true }), service: {} },
    },
    ...when(isCp, isCp ? controlPlaneParts(source) : {}),
  };
}

function localPort({ options }: GenerateSource): YamlMap {
  const port = options?.localAPIServerPort;
  return port === undefined ? {} : { localAPIServerPort: port };
}

function networkSection({ endpoint, dnsDomain, podSubnets = [], serviceSubnets = [] }: GenerateSource): YamlMap {
  const isV6 = isIPv6(endpoint);
  return {
    dnsDomain: dnsDomain === undefined || dnsDomain === '' ? 'cluster.local' : dnsDomain,
    podSubnets: podSubnets.length > 0 ? podSubnets : [isV6 ? 'fc00:db8:10::/56' : '10.244.0.0/16'],
    serviceSubnets: serviceSubnets.length > 0 ? serviceSubnets : [isV6 ? 'fc00:db8:20::/112' : '10.96.0.0/12'],
  };
}

function controlPlaneParts(source: GenerateSource): YamlMap {
  const { bundle, contract, kubernetesVersion, options = {} } = source;
  const image = (component: string): YamlMap => ({ image: `registry.k8s.io/${component}:v${kubernetesVersion}` });
  const scheduling = isAtLeast(contract, 2) ? 'allowSchedulingOnControlPlanes' : 'allowSchedulingOnMasters';
  return {
    ...encryptionSecret(bundle, contract),
    aggregatorCA: authority(bundle.aggregator, true),
    serviceAccount: { key: encoded(bundle.serviceAccountKey) },
    apiServer: { ...image('kube-apiserver'), ...apiServerParts(source) },
    controllerManager: image('kube-controller-manager'),
    proxy: image('kube-proxy'),
    scheduler: image('kube-scheduler'),
    etcd: { ca: authority(bundle.etcd, true) },
    ...when(options.allowSchedulingOnControlPlanes === true, { [scheduling]: true }),
  };
}

function encryptionSecret(bundle: SecretsBundle, contract: VersionContract): YamlMap {
  const { aescbcEncryptionSecret, secretboxEncryptionSecret } = bundle;
  if (isAtLeast(contract, 3) && secretboxEncryptionSecret !== '') return { secretboxEncryptionSecret };
  if (aescbcEncryptionSecret !== '') return { aescbcEncryptionSecret };
  throw new BloomeryError(
    'BLM_TALOS_SECRETS_INVALID',
    `generating a configuration for Talos ${contract.major}.${contract.minor}: the secrets bundle has no encryption secret for this version`,
  );
}

function apiServerParts({ contract, endpoint, options = {} }: GenerateSource): YamlMap {
  const is = (minor: number): boolean => isAtLeast(contract, minor);
  const sans = [...(is(12) ? [] : endpointHost(endpoint)), ...(options.additionalSANs ?? [])];
  return {
    certSANs: sans,
    ...when(!is(12), { disablePodSecurityPolicy: true }),
    ...when(is(1), { admissionControl: [{ name: 'PodSecurity', configuration: POD_SECURITY }] }),
    ...when(is(3), { auditPolicy: { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'Metadata' }] } }),
  };
}

const POD_SECURITY: YamlTree = {
  apiVersion: 'pod-security.admission.config.k8s.io/v1alpha1',
  defaults: {
    audit: 'restricted',
    'audit-version': 'latest',
    enforce: 'baseline',
    'enforce-version': 'latest',
    warn: 'restricted',
    'warn-version': 'latest',
  },
  exemptions: { namespaces: ['kube-system'], runtimeClasses: [], usernames: [] },
  kind: 'PodSecurityConfiguration',
};

function endpointHost(endpoint: string): string[] {
  const host = URL.parse(endpoint)?.hostname ?? '';
  return host === '' ? [] : [host.replace(/^\[|\]$/g, '')];
}

function furtherDocuments({ contract, options = {} }: GenerateSource): YamlMap[] {
  if (!isAtLeast(contract, 12)) return [];
  const mirrors = Object.entries(options.registryMirrors ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...mirrors.map(([name, urls]) => ({
      apiVersion: 'v1alpha1',
      kind: 'RegistryMirrorConfig',
      name,
      endpoints: urls.map((url) => ({ url })),
    })),
    { apiVersion: 'v1alpha1', kind: 'HostnameConfig', auto: 'stable' },
  ];
}
