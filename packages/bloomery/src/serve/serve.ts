import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createEventRecorder, createObjectCache, startControllers } from '@bloomery/kube';
import {
  adminKubeconfig,
  computedResource,
  createApiHandler,
  type HealthCheck,
  listenApi,
  managedWrites,
  openStore,
  publishApiService,
  startAccess,
  startApiEngine,
} from '@bloomery/kubeapi';
import { allKinds, cluster, type KindDefinition, machine, server, serverBinding } from '@bloomery/model';
import {
  createAgentService,
  createAssetShelf,
  createBootSessions,
  createClusterController,
  createEnvironmentController,
  createHttpFetch,
  createMachineController,
  createMetadataRoute,
  createMetalClusterController,
  createMetalMachineController,
  createPowerClients,
  createServerBindingController,
  createServerClassController,
  createServerController,
  createServerNames,
  createTalosConfigController,
  createWipeBudget,
  environmentsFolder,
  insightResources,
  loadLinkIdentity,
  openBootSessions,
  openSessionFile,
  openTimeline,
  startBootServices,
  startLink,
} from '@bloomery/plane';
import {
  BloomeryError,
  type BoundAddress,
  type Clock,
  errorText,
  hostPort,
  type Logger,
  type Service,
} from '@bloomery/ports';
import { chooseAdvertisedHost, defaultRouteInterface, type InterfaceAddress } from './advertise.ts';
import { backupFiles } from './backup-files.ts';
import {
  type Endpoints,
  prepareDataDir,
  recordCurrent,
  removeEndpoints,
  writeEndpoints,
  writeFileWhole,
} from './data-dir.ts';
import { defaultEnvironmentSpec } from './default-environment.ts';
import { createKubeSurface, STARTED_PARTS } from './kube-surface.ts';
import { createMetrics } from './metrics.ts';
import { startMetricsListener } from './metrics-listener.ts';
import type { ServeOptions } from './options.ts';

export interface ServeDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
  /** XDG state directory, where the newest data directory is recorded. */
  readonly stateHome: string;
}

/** A running plane. Disposing it stops every listener and controller and closes the store, in that order. */
export interface RunningPlane extends AsyncDisposable {
  readonly endpoints: Endpoints;
  readonly kubeconfig: string;
}

const random = (length: number): Uint8Array => randomBytes(length);

/**
 * The management plane in embedded mode: API, controllers, boot services and link in one process. Resolves when it is ready:
 * `/readyz` answers 200, the kubeconfig works, every kind is served, and DIR/endpoints.json says where.
 */
export async function serve(options: ServeOptions, deps: ServeDeps): Promise<RunningPlane> {
  const { clock, log } = deps;
  const { dataDir } = options;
  const stop = new AbortController();
  await using cleanup = new AsyncDisposableStack();
  prepareDataDir(dataDir);
  const advertiseHost = options.advertise?.host ?? ownAddress(options);

  const store = openStore({ dir: dataDir, clock, log, random });
  cleanup.defer(() => store.close());
  const cache = createObjectCache();
  const starting = new Set<string>(STARTED_PARTS);
  const surface = createKubeSurface({
    dataDir,
    auditLog: options.auditLog,
    store,
    starting,
    stopping: stop.signal,
    clock,
    log,
  });
  cleanup.use(surface);
  const metrics = createMetrics(deps.version, {
    serversByPhase: () =>
      new Map(
        [...Map.groupBy(cache.list(server), (s) => s.status?.phase ?? 'Discovered')].map(([phase, s]) => [
          phase,
          s.length,
        ]),
      ),
    storeRevision: () => store.revision,
    ...surface.sources,
  });
  const engine = await startApiEngine({
    store,
    kinds: kindsOf(options),
    clock,
    log,
    random,
    fields: managedWrites,
    observeWebhook: metrics.webhookCalled,
  });
  cleanup.defer(() => engine.stop());
  const { client } = engine;

  const timeline = openTimeline({ file: join(dataDir, 'timeline.db'), clock, log });
  cleanup.use(timeline);
  for (const resource of insightResources({ cache, timeline, clock })) engine.registry.set(computedResource(resource));
  const events = createEventRecorder({ client, clock, log, component: 'bloomery' });
  cleanup.defer(() => events.flush());
  const kube = await startKubeListener();
  cleanup.use(kube.service);

  const sessions = options.insecureMetadata
    ? openBootSessions
    : createBootSessions({
        clock,
        random,
        store: openSessionFile(join(dataDir, 'boot-sessions.jsonl'), (error) =>
          log.error('boot.sessions_not_written', { error: errorText(error) }),
        ),
      });
  if (options.insecureMetadata)
    log.warn('metadata.insecure', { why: '--insecure-metadata: anybody who knows a UUID reads configurations' });
  const identity = await loadLinkIdentity(client);
  const budget = createWipeBudget(clock, () => cache.list(server));
  const powers = createPowerClients({
    client,
    clock,
    log,
    managementApiFailures: {
      explicit: options.testPowerExplicitFailure,
      silent: options.testPowerSilentFailure,
      random: Math.random,
    },
  });
  cleanup.use(powers);
  const environmentSpec = defaultEnvironmentSpec(options.environmentFile);
  const shelf = createAssetShelf({
    folder: environmentsFolder(dataDir),
    fetch: createHttpFetch(process.env),
    clock,
    log,
  });
  cleanup.defer(() => shelf.close());
  const controllers = startControllers(
    {
      client,
      cache,
      clock,
      log,
      random: Math.random,
      events,
      metrics: metrics.controllers,
      alsoCache: [serverBinding, machine],
      controllers: [
        createServerController({
          powers,
          sessions,
          timeline,
          budget,
          rebootTimeoutMs: options.serverRebootTimeoutMs,
          defaultPxeMode: options.ipmiPxeMethod,
        }),
        createServerClassController(),
        createEnvironmentController({ shelf, defaultSpec: environmentSpec }),
        createMetalClusterController(),
        createMetalMachineController({ timeline }),
        createServerBindingController({ timeline }),
        ...(options.clusterApi === 'embedded' ? [createClusterController(), createMachineController()] : []),
        createTalosConfigController({ random }),
      ],
    },
    stop.signal,
  );
  cleanup.use(controllers);
  await controllers.ready;
  starting.delete('controllers');

  if (!options.dhcpProxy && !options.insecureMetadata) {
    log.info('dhcp_proxy.disabled', {
      why: 'DHCP of machines is not seen: only boots that are begun through a BMC are expected and get a token',
    });
  }
  const serverName = createServerNames(cache);
  const link = await startLink(
    {
      mode: options.wireguard,
      listenPort: options.siderolinkListen.port,
      advertise: () => options.siderolinkAdvertise ?? { host: advertiseHost },
      negativeAddressFilter: options.negativeAddressFilter,
      stateDir: join(dataDir, 'wg'),
    },
    { identity, client, cache, events, timeline, clock, log, random },
  );
  cleanup.use(link);
  const linkAddress = (): string => identity.serverAddress;
  const agent = createAgentService({
    client,
    cache,
    clock,
    log,
    events,
    timeline,
    sessions,
    budget,
    autoAccept: options.autoAcceptServers,
    autoBmcSetup: options.autoBmcSetup,
    insecureWipe: options.insecureWipe,
    rebootTimeoutMs: options.serverRebootTimeoutMs,
    insecureMetadata: options.insecureMetadata,
  });
  const boot = await startBootServices(
    {
      listen: options.listen,
      tftpListen: options.tftpListen,
      ...(options.dhcpProxy ? { dhcpListen: options.dhcpListen } : {}),
      advertise: options.advertise ?? { host: advertiseHost },
      ...interfaceAddressOf(options),
      dataDir,
      ...(options.loaders === undefined ? {} : { loaders: options.loaders }),
      ...(options.agentImages === undefined ? {} : { agentImages: options.agentImages }),
      bootFromDiskMethod: options.bootFromDiskMethod,
      extraAgentKernelArgs: options.extraAgentKernelArgs,
      insecureMetadata: options.insecureMetadata,
    },
    {
      cache,
      events,
      timeline,
      sessions,
      serverName,
      linkAddress,
      routes: (endpoint) => [
        createMetadataRoute({ client, events, timeline, sessions, serverName, endpoint, linkAddress, clock, log }),
      ],
      services: () => [agent, link.provision],
      log,
      clock,
    },
  );
  cleanup.use(boot);
  const metricsService = await optional(log, 'metrics', () =>
    startMetricsListener(options.metricsListen, metrics.text),
  );
  if (metricsService !== undefined) cleanup.use(metricsService);
  starting.delete('boot');

  const linkStatus = link.status();
  const endpoints: Endpoints = {
    kube: hostPort(kube.service.address),
    http: hostPort(boot.http),
    grpc: hostPort(boot.http),
    tftp: textOf(boot.tftp),
    dhcp: textOf(boot.dhcp),
    siderolink:
      linkStatus.state === 'up' ? hostPort({ host: options.siderolinkListen.host, port: linkStatus.listenPort }) : null,
    discovery: null,
    metrics: textOf(metricsService?.address),
    console: null,
  };
  recordCurrent(deps.stateHome, dataDir);
  writeEndpoints(dataDir, endpoints);
  cleanup.defer(() => removeEndpoints(dataDir));
  cleanup.defer(() => stop.abort());
  const owned = cleanup.move();
  return { endpoints, kubeconfig: kube.kubeconfig, [Symbol.asyncDispose]: () => owned.disposeAsync() };

  async function startKubeListener(): Promise<{ readonly service: Service; readonly kubeconfig: string }> {
    const access = await startAccess(
      { dir: dataDir, names: certificateNames, clientCaFile: options.clientCaFile },
      { engine, clock, log, random },
    );
    cleanup.defer(() => access.stop());
    const { credentials, authenticator, accountTokens } = access;
    const isWildcard = options.kubeListen.host === '0.0.0.0' || options.kubeListen.host === '::';
    const authority: HealthCheck = {
      name: 'certificate-authority',
      problem: () => undefined,
      notice: () => credentials.warnings()[0],
    };
    const handle = createApiHandler({
      engine,
      log,
      serverAddress: hostPort({ ...options.kubeListen, host: isWildcard ? advertiseHost : options.kubeListen.host }),
      productVersion: deps.version,
      authenticator,
      accountTokens,
      metrics: metrics.text,
      backupFiles: () => backupFiles(dataDir),
      ...surface.options,
      health: [...(surface.options.health ?? []), authority],
    });
    const service = await listenApi(options.kubeListen, { handle, credentials, authenticator, clock, log });
    const { host, port } = service.address;
    const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
    const kubeconfig = join(dataDir, 'kubeconfig');
    const url = `https://${hostPort({ host: reachable, port })}`;
    const writeKubeconfig = (): void => writeFileWhole(kubeconfig, adminKubeconfig(credentials.current, url), 0o600);
    writeKubeconfig();
    credentials.onReplaced(writeKubeconfig);
    await publishApiService(engine, { host: isWildcard ? advertiseHost : host, port });
    return { service, kubeconfig };
  }

  /** By which clients may call this host; its addresses may change. */
  function certificateNames(): readonly string[] {
    const fixed = ['localhost', '127.0.0.1', '::1', hostname().toLowerCase(), 'kubernetes', 'kubernetes.default'];
    const own = interfaceAddresses().map(({ address }) => address.split('%')[0] ?? address);
    return [...new Set([...fixed, advertiseHost, ...own])].filter(Boolean);
  }
}

/** With Cluster API core beside us its definitions are the ones that count. */
function kindsOf({ clusterApi }: ServeOptions): readonly KindDefinition[] {
  return clusterApi === 'embedded' ? allKinds : allKinds.filter(({ group }) => group !== cluster.group);
}

function textOf(address: BoundAddress | undefined): string | null {
  return address === undefined ? null : hostPort(address);
}

async function optional(log: Logger, part: string, start: () => Promise<Service>): Promise<Service | undefined> {
  try {
    return await start();
  } catch (error) {
    log.warn('serve.part_unavailable', { part, error: errorText(error) });
    return undefined;
  }
}

function interfaceAddresses(): readonly InterfaceAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([interfaceName, list = []]) =>
    list.map(({ address, family, internal }) => ({ interfaceName, address, family, internal })),
  );
}

function ownAddress(options: ServeOptions): string {
  let routes = '';
  try {
    routes = readFileSync('/proc/net/route', 'utf8');
  } catch {
    // No procfs: the first address of the host is as good a guess as any.
  }
  const host = chooseAdvertisedHost({
    listenHost: options.listen.host,
    dhcpInterface: options.dhcpInterface,
    defaultInterface: defaultRouteInterface(routes),
    addresses: interfaceAddresses(),
  });
  if (host !== undefined) return host;
  throw new BloomeryError(
    'BLM_SERVE_NO_ADDRESS',
    'choosing the address that machines are told: this host has no address but loopback; give one with --advertise HOST',
  );
}

function interfaceAddressOf(options: ServeOptions): { readonly interfaceAddress?: string } {
  if (options.dhcpInterface === undefined) return {};
  const found = interfaceAddresses().find((a) => a.interfaceName === options.dhcpInterface && a.family === 'IPv4');
  if (found === undefined) {
    throw new BloomeryError(
      'BLM_SERVE_NO_ADDRESS',
      `finding the IPv4 address of --dhcp-interface ${options.dhcpInterface}: it has none`,
      {
        facts: { interface: options.dhcpInterface },
      },
    );
  }
  return { interfaceAddress: found.address };
}
