import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { BloomeryError, errorText } from '@bloomery/ports';
import { parse } from 'yaml';

/** How to reach an API and who we are there: one context of a kubeconfig, files read. */
export interface ClusterAccess {
  /** `https://host:port`, without a trailing slash. */
  readonly server: string;
  /** PEM. The system's authorities unless given. */
  readonly ca?: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly tlsServerName?: string;
  /** PEM client certificate and key. */
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
  /** An HTTP proxy to go through, as `http://host:port` or `https://host:port`. */
  readonly proxyUrl?: string;
  /** Namespace of the context; `default` unless given. */
  readonly namespace: string;
}

const MAX_FILE_BYTES = 4 * 1024 * 1024;

function invalid(file: string, what: string): BloomeryError {
  return new BloomeryError('BLM_KUBECONFIG_INVALID', `reading kubeconfig ${file}: ${what}`, { facts: { file } });
}

async function read(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new BloomeryError('BLM_KUBECONFIG_INVALID', `reading ${file}: ${errorText(cause)}`, {
      facts: { file },
      cause,
    });
  }
  if (text.length > MAX_FILE_BYTES) throw invalid(file, 'larger than 4 MiB');
  return text;
}

function named(list: Json | undefined, name: string, field: string): JsonObject | undefined {
  const entries = Array.isArray(list) ? (list as readonly Json[]) : [];
  const found = entries.find((entry) => isJsonObject(entry) && entry['name'] === name);
  const value = isJsonObject(found) ? found[field] : undefined;
  return isJsonObject(value) ? value : undefined;
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function inline(source: JsonObject, name: string): string | undefined {
  const data = text(source[`${name}-data`]);
  return data === undefined ? undefined : Buffer.from(data, 'base64').toString('utf8');
}

/** `NAME-data` (base64) wins over the file `NAME`, relative to the kubeconfig. */
async function inlineOrFile(source: JsonObject, name: string, folder: string): Promise<string | undefined> {
  const data = inline(source, name);
  if (data !== undefined) return data;
  const file = text(source[name]);
  return file === undefined ? undefined : read(resolve(folder, file));
}

function defined<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}

/** One context of a kubeconfig, taken apart. */
interface ChosenContext {
  readonly name: string;
  readonly server: string;
  readonly cluster: JsonObject;
  readonly user: JsonObject;
  readonly namespace: string;
}

/** @param source the name of the kubeconfig for messages */
function chooseContext(content: string, source: string, context: string | undefined): ChosenContext {
  let config: Json;
  try {
    // Pretty errors quote the line, which may be a key; warnings go to stderr.
    config = parse(content, { maxAliasCount: 0, prettyErrors: false, logLevel: 'error' }) as Json;
  } catch (cause) {
    throw invalid(source, errorText(cause));
  }
  if (!isJsonObject(config)) throw invalid(source, 'not a kubeconfig');
  const name = context ?? text(config['current-context']);
  if (name === undefined) throw invalid(source, 'no current-context is set and none was asked for');
  const chosen = named(config['contexts'], name, 'context');
  if (chosen === undefined) throw invalid(source, `no context ${name}`);
  const cluster = named(config['clusters'], text(chosen['cluster']) ?? '', 'cluster');
  const server = text(cluster?.['server']);
  if (cluster === undefined || server === undefined || !URL.canParse(server)) {
    throw invalid(source, `context ${name} names no cluster with a server address`);
  }
  const user = named(config['users'], text(chosen['user']) ?? '', 'user') ?? {};
  if (user['exec'] !== undefined || user['auth-provider'] !== undefined) {
    throw invalid(
      source,
      `context ${name} uses a credential plugin, which is not supported; use a token or certificate`,
    );
  }
  const namespace = text(chosen['namespace']) ?? 'default';
  return { name, server: server.replace(/\/+$/, ''), cluster, user, namespace };
}

/**
 * Read one context of a kubeconfig file, and the files that it names.
 *
 * @param context the current-context unless given.
 * @throws BLM_KUBECONFIG_INVALID when the file or a part of it cannot be read, or it uses an exec or auth-provider plugin.
 */
export async function loadKubeconfig(file: string, context?: string): Promise<ClusterAccess> {
  const { server, cluster, user, namespace } = chooseContext(await read(file), file, context);
  const folder = dirname(file);
  const tokenFile = text(user['tokenFile']);
  return defined<ClusterAccess>({
    server,
    ca: await inlineOrFile(cluster, 'certificate-authority', folder),
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'] === true ? true : undefined,
    tlsServerName: text(cluster['tls-server-name']),
    cert: await inlineOrFile(user, 'client-certificate', folder),
    key: await inlineOrFile(user, 'client-key', folder),
    token:
      text(user['token']) ?? (tokenFile === undefined ? undefined : (await read(resolve(folder, tokenFile))).trim()),
    proxyUrl: proxyOf(cluster, file),
    namespace,
  });
}

/** Fields that name files, which would be files of whoever reads the kubeconfig. */
const FILE_FIELDS = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'];

/**
 * The current context of a kubeconfig that somebody else wrote, as it lies in a Secret. Everything has to be in the text:
 * files, credential plugins, plain HTTP and skipped verification are refused.
 *
 * @param source its name for messages (`Secret default/c-kubeconfig`)
 * @throws BLM_KUBECONFIG_INVALID
 */
export function parseKubeconfig(content: string, source: string): ClusterAccess {
  if (content.length > MAX_FILE_BYTES) throw invalid(source, 'larger than 4 MiB');
  const { name, server, cluster, user, namespace } = chooseContext(content, source, undefined);
  const file = FILE_FIELDS.find((field) => text(cluster[field]) !== undefined || text(user[field]) !== undefined);
  if (file !== undefined) {
    const place = file === 'tokenFile' ? 'token' : `${file}-data`;
    throw invalid(source, `context ${name} names a file (${file}); put its content into ${place}`);
  }
  if (cluster['insecure-skip-tls-verify'] === true) {
    throw invalid(source, `context ${name} sets insecure-skip-tls-verify; give certificate-authority-data instead`);
  }
  if (!server.startsWith('https:')) throw invalid(source, `the server of context ${name} is not an https address`);
  return defined<ClusterAccess>({
    server,
    ca: inline(cluster, 'certificate-authority'),
    insecureSkipTlsVerify: undefined,
    tlsServerName: text(cluster['tls-server-name']),
    cert: inline(user, 'client-certificate'),
    key: inline(user, 'client-key'),
    token: text(user['token']),
    proxyUrl: proxyOf(cluster, source),
    namespace,
  });
}

function proxyOf(cluster: JsonObject, source: string): string | undefined {
  const url = text(cluster['proxy-url']);
  if (url === undefined || /^https?:\/\//.test(url)) return url;
  throw invalid(source, 'its proxy-url is neither http: nor https:');
}
