import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClusterAccess, createRemoteClient, loadKubeconfig, type RemoteClient } from '@bloomery/kube';
import { BloomeryError } from '@bloomery/ports';

/** Options that say which manager is meant. */
export interface ConnectionOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** The manager of a command. */
export interface Connection extends AsyncDisposable {
  readonly client: RemoteClient;
  readonly access: ClusterAccess;
}

type Environment = Readonly<Record<string, string | undefined>>;

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Connect by --kubeconfig, else KUBECONFIG, else the data directory of the newest `bloomery serve`, else the service account
 * of a pod. Nothing is sent yet.
 *
 * @throws BloomeryError BLM_CLI_NO_MANAGER, BLM_KUBECONFIG_INVALID
 */
export async function connect(options: ConnectionOptions, env: Environment): Promise<Connection> {
  const file = await kubeconfigFile(options, env);
  const access = file === undefined ? await inCluster(env) : await loadKubeconfig(file, options.context);
  const client = createRemoteClient(access);
  return { client, access, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
}

async function kubeconfigFile(options: ConnectionOptions, env: Environment): Promise<string | undefined> {
  if (options.kubeconfig !== undefined) return options.kubeconfig;
  const named = (env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
  for (const path of named) if (await exists(path)) return path;
  if (named[0] !== undefined) return named[0];
  const stateHome = env['XDG_STATE_HOME'] ?? join(env['HOME'] ?? '/root', '.local/state');
  const dir = (await readFile(join(stateHome, 'bloomery', 'current'), 'utf8').catch(() => '')).trim();
  return dir === '' ? undefined : join(dir, 'kubeconfig');
}

async function inCluster(env: Environment): Promise<ClusterAccess> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const token = await readFile(join(SERVICE_ACCOUNT, 'token'), 'utf8').catch(() => undefined);
  if (host === undefined || token === undefined) {
    throw new BloomeryError('BLM_CLI_NO_MANAGER', 'no manager is known: no `bloomery serve` has run here');
  }
  const ca = await readFile(join(SERVICE_ACCOUNT, 'ca.crt'), 'utf8');
  const namespace = await readFile(join(SERVICE_ACCOUNT, 'namespace'), 'utf8').catch(() => 'default');
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '443';
  const at = host.includes(':') ? `[${host}]` : host;
  return { server: `https://${at}:${port}`, ca, token: token.trim(), namespace: namespace.trim() };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
