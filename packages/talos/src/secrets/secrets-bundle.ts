import { BloomeryError } from '@bloomery/ports';
import { readCertificate } from '../certificates/index.ts';
import { readPrivateKey } from '../certificates/private-key.ts';
import {
  field,
  isYamlMap,
  readYamlDocument,
  scalarString,
  writeYaml,
  type YamlMap,
  type YamlTree,
} from '../yaml/index.ts';

/** Certificate and key in PEM; the key wears Talos' armour. */
export interface PemPair {
  readonly crt: string;
  readonly key: string;
}

/** The secrets of a cluster: what `talosctl gen secrets` writes (spec/cluster.md section 5). Empty strings are absent. */
export interface SecretsBundle {
  readonly clusterId: string;
  readonly clusterSecret: string;
  readonly bootstrapToken: string;
  readonly aescbcEncryptionSecret: string;
  readonly secretboxEncryptionSecret: string;
  readonly trustdToken: string;
  readonly etcd: PemPair;
  readonly kubernetes: PemPair;
  readonly aggregator: PemPair;
  readonly os: PemPair;
  /** PEM */
  readonly serviceAccountKey: string;
}

/** What was read, and what is wrong with it. A bundle with problems must not be used. */
export interface BundleReading {
  readonly bundle: SecretsBundle;
  /** In the words of Talos; never values. */
  readonly problems: readonly string[];
}

/**
 * Read a bundle in YAML. Unknown keys are ignored.
 *
 * @throws BloomeryError BLM_TALOS_SECRETS_INVALID when it is no YAML or holds bad base64.
 */
export function readSecretsBundle(text: string): BundleReading {
  const tree = readYamlDocument(text, { code: 'BLM_TALOS_SECRETS_INVALID', what: 'secrets bundle' });
  const { cluster, secrets, trustd, certs } = {
    cluster: section(tree, 'cluster'),
    secrets: section(tree, 'secrets'),
    trustd: section(tree, 'trustdinfo'),
    certs: section(tree, 'certs'),
  };
  const bundle = bundleOf({ cluster, secrets, trustd }, certs);
  return {
    bundle,
    problems: [...sectionProblems({ cluster, secrets, trustd }, bundle), ...certProblems(certs, bundle)],
  };
}

/** The keys of a Secret in the format of the first releases of the bootstrap provider, each YAML text. */
export interface LegacySecrets {
  readonly certs: string;
  readonly kubeSecrets: string;
  readonly trustdInfo: string;
}

/**
 * Read a bundle in the legacy format. It has neither id nor secret of the cluster: both are empty, and that is no problem.
 *
 * @throws BloomeryError BLM_TALOS_SECRETS_INVALID as `loadSecretsBundle`.
 */
export function loadLegacySecrets(texts: LegacySecrets): SecretsBundle {
  const read = (key: keyof LegacySecrets): YamlMap | undefined => {
    const tree = readYamlDocument(texts[key], { code: 'BLM_TALOS_SECRETS_INVALID', what: `${key} of the secrets` });
    return isYamlMap(tree) ? tree : undefined;
  };
  const certs = read('certs');
  const sections: Sections = { cluster: {}, secrets: read('kubeSecrets'), trustd: read('trustdInfo') };
  const bundle = bundleOf(sections, certs);
  const problems = [
    ...sectionProblems(sections, bundle).filter((problem) => !problem.startsWith('cluster.')),
    ...certProblems(certs, bundle),
  ];
  if (problems.length === 0) return bundle;
  throw invalid(problems);
}

function bundleOf({ cluster, secrets, trustd }: Sections, certs: YamlMap | undefined): SecretsBundle {
  return {
    clusterId: stringAt(cluster, 'id'),
    clusterSecret: stringAt(cluster, 'secret'),
    bootstrapToken: stringAt(secrets, 'bootstraptoken'),
    aescbcEncryptionSecret: stringAt(secrets, 'aescbcencryptionsecret'),
    secretboxEncryptionSecret: stringAt(secrets, 'secretboxencryptionsecret'),
    trustdToken: stringAt(trustd, 'token'),
    etcd: pair(section(certs, 'etcd')),
    kubernetes: pair(section(certs, 'k8s')),
    aggregator: pair(section(certs, 'k8saggregator')),
    os: pair(section(certs, 'os')),
    serviceAccountKey: base64Text(section(certs, 'k8sserviceaccount'), 'key'),
  };
}

/** As `readSecretsBundle`, for bundles that are going to be used. @throws also when anything is missing or invalid. */
export function loadSecretsBundle(text: string): SecretsBundle {
  const { bundle, problems } = readSecretsBundle(text);
  if (problems.length === 0) return bundle;
  throw invalid(problems);
}

function invalid(problems: readonly string[]): BloomeryError {
  return new BloomeryError('BLM_TALOS_SECRETS_INVALID', `reading secrets bundle: ${problems.join('; ')}`, {
    facts: { problems },
  });
}

/** Write a bundle in YAML, keys in Talos' order. */
export function writeSecretsBundle(bundle: SecretsBundle): string {
  const encoded = (pem: string): string => Buffer.from(pem).toString('base64');
  const both = ({ crt, key }: PemPair): YamlTree => ({ crt: encoded(crt), key: encoded(key) });
  const optional = (key: string, value: string): YamlMap => (value === '' ? {} : { [key]: value });
  return writeYaml({
    cluster: { id: bundle.clusterId, secret: bundle.clusterSecret },
    secrets: {
      bootstraptoken: bundle.bootstrapToken,
      ...optional('aescbcencryptionsecret', bundle.aescbcEncryptionSecret),
      ...optional('secretboxencryptionsecret', bundle.secretboxEncryptionSecret),
    },
    trustdinfo: { token: bundle.trustdToken },
    certs: {
      etcd: both(bundle.etcd),
      k8s: both(bundle.kubernetes),
      k8saggregator: both(bundle.aggregator),
      k8sserviceaccount: { key: encoded(bundle.serviceAccountKey) },
      os: both(bundle.os),
    },
  });
}

function section(tree: YamlTree | undefined, key: string): YamlMap | undefined {
  const value = isYamlMap(tree) ? field(tree, key) : undefined;
  if (value === undefined || value === null) return undefined;
  if (isYamlMap(value)) return value;
  throw new BloomeryError('BLM_TALOS_SECRETS_INVALID', `reading secrets bundle: ${key} is not a mapping`);
}

const stringAt = (map: YamlMap | undefined, key: string): string =>
  map === undefined ? '' : (scalarString(field(map, key)) ?? '');

const pair = (map: YamlMap | undefined): PemPair => ({ crt: base64Text(map, 'crt'), key: base64Text(map, 'key') });

function base64Text(map: YamlMap | undefined, key: string): string {
  const encoded = stringAt(map, key).replace(/[\r\n]/g, '');
  if (encoded.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(encoded))
    return Buffer.from(encoded, 'base64').toString('utf8');
  throw new BloomeryError('BLM_TALOS_SECRETS_INVALID', `reading secrets bundle: ${key} is not base64`);
}

interface Sections {
  readonly cluster: YamlMap | undefined;
  readonly secrets: YamlMap | undefined;
  readonly trustd: YamlMap | undefined;
}

const ENCRYPTION = '[secrets.secretboxencryptionsecret, secrets.aescbcencryptionsecret]';

function sectionProblems({ cluster, secrets, trustd }: Sections, bundle: SecretsBundle): string[] {
  const problems: string[] = [];
  const need = (value: string, what: string): void => {
    if (value === '') problems.push(`${what} is required`);
  };
  if (cluster === undefined) problems.push('cluster is required');
  else {
    need(bundle.clusterId, 'cluster.id');
    need(bundle.clusterSecret, 'cluster.secret');
  }
  if (secrets === undefined) problems.push('secrets is required');
  else {
    need(bundle.bootstrapToken, 'secrets.bootstraptoken');
    const given = [bundle.secretboxEncryptionSecret, bundle.aescbcEncryptionSecret].filter((s) => s !== '').length;
    if (given === 0) problems.push(`one of ${ENCRYPTION} is required`);
    if (given === 2) problems.push(`only one of ${ENCRYPTION} is allowed`);
  }
  if (trustd === undefined) problems.push('trustdinfo is required');
  else need(bundle.trustdToken, 'trustdinfo.token');
  return problems;
}

function certProblems(certs: YamlMap | undefined, bundle: SecretsBundle): string[] {
  if (certs === undefined) return ['certs is required'];
  const pairs: readonly (readonly [string, PemPair])[] = [
    ['etcd', bundle.etcd],
    ['k8s', bundle.kubernetes],
    ['k8saggregator', bundle.aggregator],
    ['os', bundle.os],
  ];
  const problems = pairs.flatMap(([name, { crt, key }]) => {
    if (section(certs, name) === undefined) return [`certs.${name} is required`];
    return isReadable(() => readCertificate(crt)) && isReadable(() => readPrivateKey(key))
      ? []
      : [`certs.${name} is invalid: failed to parse PEM block`];
  });
  if (section(certs, 'k8sserviceaccount') === undefined) problems.push('certs.k8sserviceaccount is required');
  else if (!isReadable(() => readPrivateKey(bundle.serviceAccountKey))) {
    problems.push('certs.k8sserviceaccount is invalid: failed to parse PEM block');
  }
  return problems;
}

function isReadable(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
