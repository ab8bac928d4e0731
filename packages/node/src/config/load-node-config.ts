import { BloomeryError } from '@bloomery/ports';
import {
  entriesOf,
  field,
  isLegacy,
  isYamlList,
  isYamlMap,
  kubeJson,
  type LocatedDocument,
  loadExtendedConfig,
  mapAt,
  redactConfig,
  type ValidationResult,
  validateConfig,
  withField,
  writeYamlDocuments,
  type YamlMap,
  type YamlTree,
} from '@bloomery/talos';
import { configConflicts } from './config-conflicts.ts';
import { createPlaceFinder } from './config-places.ts';
import { memberWarnings } from './link-members.ts';
import { clusterSection, machineSection } from './machine-section.ts';
import { nodeProblems, SAID_WITH_PLACE } from './node-checks.ts';
import type { NodeConfig, NodeDocument } from './node-config.ts';
import { KIND_SYNONYMS, NODE_TYPES } from './node-types.ts';

/** A configuration with what Talos warns of. */
export interface LoadedNodeConfig {
  readonly config: NodeConfig;
  readonly warnings: readonly string[];
}

const MAX_LISTED = 20;
/** What a machine of a cluster needs and a daemon of the network does not, and what Talos does not allow yet. */
const NOT_NEEDED = [
  /^(machine|cluster) instructions are required$/,
  /^cluster controlplane endpoint is required$/,
  /^issuing CA (or some accepted CAs are|is|key is) required\b/,
  /^trusted CA certificates are required\b/,
  /^HostnameConfig: invalid value for 'auto': addr$/,
];

const LEFT_OUT = [...NOT_NEEDED, ...SAID_WITH_PLACE];

/**
 * Read a machine configuration: the v1alpha1 document, further documents, or both. As strict as Talos 1.13, whose words problems have,
 * with the places where they stand; what NODE_TYPES adds is taken too. What only a Kubernetes machine needs may be missing.
 *
 * @throws BloomeryError BLM_TALOS_CONFIG_INVALID; messages name key and line, never secrets.
 */
export const loadNodeConfig = (text: string): NodeConfig => checkNodeConfig(text).config;

/** As `loadNodeConfig`, with warnings. */
export function checkNodeConfig(text: string): LoadedNodeConfig {
  const documents = documentsOf(text);
  const { errors, warnings } = validated(documents);
  if (errors.length > 0) throw refused(errors);
  return { config: configOf(text, documents), warnings };
}

/** As `loadNodeConfig`, without judging what the values mean: controllers have to stand any configuration that can be read. */
export const readNodeConfig = (text: string): NodeConfig => configOf(text, documentsOf(text));

function documentsOf(text: string): LocatedDocument[] {
  const documents = loadExtendedConfig(text, NODE_TYPES).map(withoutSynonyms);
  if (documents.length > 0) return documents;
  throw new BloomeryError('BLM_TALOS_CONFIG_INVALID', 'reading machine configuration: config not found');
}

/** The text of a configuration that was loaded, without comments and in one form, to be compared. */
export function normalText(text: string, { hideSecrets }: { readonly hideSecrets: boolean }): string {
  const documents = loadExtendedConfig(text, NODE_TYPES);
  return writeYamlDocuments((hideSecrets ? redactConfig(documents) : documents).map(({ tree }) => tree));
}

function validated(documents: readonly LocatedDocument[]): ValidationResult {
  const talos = validateConfig(documents, { mode: 'cloud' });
  const isLeftOut = (error: string): boolean => LEFT_OUT.some((pattern) => pattern.test(error));
  const errors = talos.errors.filter((error) => !isLeftOut(error));
  const own = [...nodeProblems(documents), ...configConflicts(documents)];
  const warnings = [...talos.warnings, ...memberWarnings(documents)];
  if (errors.length === 0) return { errors: own, warnings };
  const placed = createPlaceFinder(documents);
  return { errors: [...errors.map(placed), ...own], warnings };
}

function refused(errors: readonly string[]): BloomeryError {
  const listed = errors.slice(0, MAX_LISTED).map((error) => `\n\t* ${error}`);
  const more = errors.length > MAX_LISTED ? `\n\t* ${errors.length - MAX_LISTED} more` : '';
  const count = `${errors.length} error${errors.length === 1 ? '' : 's'} occurred:`;
  return new BloomeryError(
    'BLM_TALOS_CONFIG_INVALID',
    `validating machine configuration: ${count}${listed.join('')}${more}`,
    {
      facts: { problems: errors.slice(0, 1_000) },
    },
  );
}

/** `address` of the networking documents is a list of one. */
function withoutSynonyms(document: LocatedDocument): LocatedDocument {
  if (!isLegacy(document)) return document;
  const machine = mapAt(document.tree, 'machine');
  const network = mapAt(machine, 'network');
  const devices = network === undefined ? undefined : field(network, 'interfaces');
  if (machine === undefined || network === undefined || !isYamlList(devices)) return document;
  const interfaces = devices.map((device) => {
    if (!isYamlMap(device)) return device;
    const vlans = field(device, 'vlans');
    const own = withAddresses(device);
    return isYamlList(vlans) ? withField(own, 'vlans', vlans.map(withVlanAddresses)) : own;
  });
  const changed = withField(machine, 'network', withField(network, 'interfaces', interfaces));
  return { ...document, tree: withField(document.tree, 'machine', changed) };
}

const withVlanAddresses = (vlan: YamlTree): YamlTree => (isYamlMap(vlan) ? withAddresses(vlan) : vlan);

function withAddresses(link: YamlMap): YamlMap {
  const address = field(link, 'address');
  if (address === undefined) return link;
  const addresses = field(link, 'addresses');
  const all = [address, ...(isYamlList(addresses) ? addresses : [])];
  return withField(withField(link, 'address', undefined), 'addresses', all);
}

function configOf(text: string, documents: readonly LocatedDocument[]): NodeConfig {
  const legacy = documents.find(isLegacy);
  const machine = mapAt(legacy?.tree, 'machine');
  const cluster = mapAt(legacy?.tree, 'cluster');
  return {
    text,
    ...(legacy === undefined || machine === undefined ? {} : { machine: machineSection(machine, legacy.lineOf) }),
    ...(cluster === undefined ? {} : { cluster: clusterSection(cluster) }),
    documents: documents.filter((document) => !isLegacy(document)).map(documentOf),
  };
}

function documentOf(document: LocatedDocument): NodeDocument {
  const { kind, name, tree, lineOf } = document;
  return {
    kind: KIND_SYNONYMS.get(kind) ?? kind,
    ...(name === '' ? {} : { name }),
    line: lineOf(''),
    value: Object.fromEntries(entriesOf(tree).map(([key, value]) => [key, kubeJson(value)])),
  };
}
