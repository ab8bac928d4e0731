import { BloomeryError } from '@bloomery/ports';
import { field, isYamlMap, loadDocuments, readYaml, scalarString, type YamlMap, type YamlTree } from '@bloomery/talos';

/** The document SideroLinkConfig (v1alpha1) of a machine configuration. */
export interface SideroLinkConfig {
  /** As it was written: parseApiEndpoint reads it. */
  readonly apiUrl: string;
  /** Empty: none. */
  readonly uniqueToken: string;
}

/** What a machine configuration says about the link. */
export interface LinkDocuments {
  readonly siderolink?: SideroLinkConfig;
  /** `endpoint` of EventSinkConfig. */
  readonly eventSink?: string;
  /** `url` of each KmsgLogConfig, without repetitions. */
  readonly kernelLogDestinations: readonly string[];
}

const REDACTED = 'REDACTED';
const KINDS: ReadonlySet<string> = new Set(['SideroLinkConfig', 'EventSinkConfig', 'KmsgLogConfig']);

/**
 * Read the documents SideroLinkConfig, EventSinkConfig and KmsgLogConfig of a machine configuration; others are passed over.
 *
 * @throws BloomeryError BLM_LINK_CONFIG_INVALID naming the field, BLM_TALOS_CONFIG_INVALID for text that is no YAML and for
 * keys, versions and repetitions that Talos refuses.
 */
export function readLinkDocuments(config: string): LinkDocuments {
  const what = 'the machine configuration';
  const trees = readYaml(config, { what }).filter((tree) => KINDS.has(kindOf(tree)));
  const documents = loadDocuments(trees, 'strict', what);
  const ofKind = (kind: string): readonly YamlMap[] =>
    documents.filter((document) => document.kind === kind).map((document) => document.tree);
  const [siderolink] = ofKind('SideroLinkConfig');
  const eventSink = scalarString(field(ofKind('EventSinkConfig')[0] ?? {}, 'endpoint'));
  const urls = ofKind('KmsgLogConfig').flatMap((tree) => scalarString(field(tree, 'url')) ?? []);
  return {
    kernelLogDestinations: [...new Set(urls)],
    ...(siderolink === undefined ? {} : { siderolink: readSideroLinkConfig(siderolink) }),
    ...(eventSink === undefined ? {} : { eventSink }),
  };
}

function kindOf(tree: YamlTree): string {
  return isYamlMap(tree) ? (scalarString(field(tree, 'kind')) ?? '') : '';
}

function readSideroLinkConfig(document: YamlMap): SideroLinkConfig {
  const apiUrl = scalarString(field(document, 'apiUrl'));
  if (apiUrl === undefined) throw invalid('apiUrl is required');
  const { scheme, path } = urlParts(apiUrl);
  if (scheme !== 'https' && scheme !== 'grpc') throw invalid('apiUrl scheme must be https:// or grpc://');
  if (path !== '' && path !== '/') throw invalid('apiUrl path must be empty');
  return { apiUrl, uniqueToken: scalarString(field(document, 'uniqueToken')) ?? '' };
}

/** The document as it may be shown: the values of its tokens are replaced. */
export function redactSideroLinkConfig({ apiUrl, uniqueToken }: SideroLinkConfig): SideroLinkConfig {
  return { apiUrl: redactedUrl(apiUrl), uniqueToken: uniqueToken === '' ? '' : REDACTED };
}

function redactedUrl(url: string): string {
  const { base, query, fragment } = urlParts(url);
  const parameters = new URLSearchParams(query);
  if (parameters.has('jointoken')) parameters.set('jointoken', REDACTED);
  parameters.sort();
  const encoded = parameters.toString().replaceAll('*', '%2A').replaceAll('%7E', '~');
  return `${base}${encoded === '' ? '' : `?${encoded}`}${fragment}`;
}

function urlParts(url: string): { scheme: string; path: string; base: string; query: string; fragment: string } {
  const [withoutFragment = '', ...rest] = url.split('#');
  const at = withoutFragment.indexOf('?');
  const base = at === -1 ? withoutFragment : withoutFragment.slice(0, at);
  const query = at === -1 ? '' : withoutFragment.slice(at + 1);
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(base)?.[1] ?? '';
  const afterScheme = scheme === '' ? base : base.slice(scheme.length + 1);
  const path = afterScheme.startsWith('//') ? afterScheme.slice(2).replace(/^[^/]*/, '') : afterScheme;
  return {
    scheme: scheme.toLowerCase(),
    path,
    base,
    query,
    fragment: rest.length === 0 ? '' : `#${rest.join('#')}`,
  };
}

function invalid(why: string): BloomeryError {
  return new BloomeryError('BLM_LINK_CONFIG_INVALID', `reading the document SideroLinkConfig: ${why}`);
}
