import { hostname } from 'node:os';
import { join } from 'node:path';
import type { StreamedResource } from '@bloomery/kube';
import {
  type ApiEngine,
  adminKubeconfig,
  createApiHandler,
  type HealthCheck,
  listenApi,
  publishApiService,
  startAccess,
} from '@bloomery/kubeapi';
import { type Clock, hostPort, type Logger, type RandomBytes, type Service } from '@bloomery/ports';
import { backupFiles } from './backup-files.ts';
import { writeFileWhole } from './data-dir.ts';
import type { KubeSurface } from './kube-surface.ts';
import type { ServeOptions } from './options.ts';
import { interfaceAddresses } from './own-address.ts';

export interface KubeListenerDeps {
  readonly engine: ApiEngine;
  readonly surface: KubeSurface;
  readonly streams: readonly StreamedResource[];
  readonly metricsText: () => Promise<string>;
  /** What machines are told; clients may call this host so, too. */
  readonly advertiseHost: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
}

/** The API's listener. Disposing it ends its requests, then the renewal of certificates. */
export type KubeListener = Service & { readonly kubeconfig: string };

/** Serve the API over HTTPS, and write DIR/kubeconfig for the administrator now and whenever its certificates are renewed. */
export async function startKubeListener(options: ServeOptions, deps: KubeListenerDeps): Promise<KubeListener> {
  const { engine, surface, advertiseHost, clock, log, random } = deps;
  const { dataDir, kubeListen } = options;
  await using cleanup = new AsyncDisposableStack();
  const access = await startAccess(
    { dir: dataDir, names: () => certificateNames(advertiseHost), clientCaFile: options.clientCaFile },
    { engine, clock, log, random },
  );
  cleanup.defer(() => access.stop());
  const { credentials, authenticator, accountTokens } = access;
  const isWildcard = kubeListen.host === '0.0.0.0' || kubeListen.host === '::';
  const authority: HealthCheck = {
    name: 'certificate-authority',
    problem: () => undefined,
    notice: () => credentials.warnings()[0],
  };
  const handle = createApiHandler({
    engine,
    log,
    serverAddress: hostPort({ ...kubeListen, host: isWildcard ? advertiseHost : kubeListen.host }),
    productVersion: deps.version,
    authenticator,
    accountTokens,
    metrics: deps.metricsText,
    backupFiles: () => backupFiles(dataDir),
    streams: deps.streams,
    ...surface.options,
    health: [...(surface.options.health ?? []), authority],
  });
  const service = await listenApi(kubeListen, { handle, credentials, authenticator, clock, log });
  cleanup.use(service);
  const { host, port } = service.address;
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const kubeconfig = join(dataDir, 'kubeconfig');
  const url = `https://${hostPort({ host: reachable, port })}`;
  const writeKubeconfig = (): void => writeFileWhole(kubeconfig, adminKubeconfig(credentials.current, url), 0o600);
  writeKubeconfig();
  credentials.onReplaced(writeKubeconfig);
  await publishApiService(engine, { host: isWildcard ? advertiseHost : host, port });
  const owned = cleanup.move();
  return { address: service.address, kubeconfig, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** By which clients may call this host; its addresses may change. */
function certificateNames(advertiseHost: string): readonly string[] {
  const fixed = ['localhost', '127.0.0.1', '::1', hostname().toLowerCase(), 'kubernetes', 'kubernetes.default'];
  const own = interfaceAddresses().map(({ address }) => address.split('%')[0] ?? address);
  return [...new Set([...fixed, advertiseHost, ...own])].filter(Boolean);
}
