import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createEventRecorder, createObjectCache, type ObjectCache } from '@bloomery/kube';
import { computedResource, managedWrites, openStore, startApiEngine } from '@bloomery/kubeapi';
import { allKinds, cluster, type KindDefinition, server } from '@bloomery/model';
import {
  type BootSessions,
  createBootSessions,
  createServerLogs,
  createWipeBudget,
  type FinalConfig,
  insightResources,
  type LinkView,
  linkResources,
  loadLinkIdentity,
  markEvents,
  openBootSessions,
  openSessionFile,
  openTimeline,
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
import { type Endpoints, prepareDataDir, recordCurrent, removeEndpoints, writeEndpoints } from './data-dir.ts';
import { startKubeListener } from './kube-listener.ts';
import { createKubeSurface, STARTED_PARTS } from './kube-surface.ts';
import { openMachineRecords } from './machine-records.ts';
import { type MachineServices, startMachineServices } from './machine-services.ts';
import { createMetrics } from './metrics.ts';
import { startMetricsListener } from './metrics-listener.ts';
import type { ServeOptions } from './options.ts';
import { ownAddress } from './own-address.ts';
import { startPlaneControllers } from './plane-controllers.ts';

/** What a plane needs from outside. */
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
  let machines: MachineServices | undefined;
  const linkView = (): LinkView | undefined => machines?.link;
  const finalConfig: FinalConfig = async (machine, bootstrap) => {
    if (machines !== undefined) return await machines.finalConfig(machine, bootstrap);
    throw new BloomeryError('BLM_TALOS_CONFIG_INVALID', 'making a configuration: the plane is starting', {
      retryable: true,
    });
  };
  const records = openMachineRecords(dataDir, { clock, log });
  cleanup.use(records);
  const metrics = createMetrics(deps.version, {
    machineLogs: records.logCounts,
    machineEvents: records.eventCounts,
    lostRecords: records.lost,
    serversByPhase: () => serversByPhase(cache),
    storeRevision: () => store.revision,
    link: () => linkView()?.metrics(),
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
  for (const resource of [...insightResources({ cache, timeline, clock }), ...linkResources(linkView)]) {
    engine.registry.set(computedResource(resource));
  }
  const eventWriter = createEventRecorder({ client, clock, log, component: 'bloomery' });
  cleanup.defer(() => eventWriter.flush());
  const events = markEvents(eventWriter, timeline);
  const kube = await startKubeListener(options, {
    engine,
    surface,
    metricsText: metrics.text,
    streams: [createServerLogs({ store: records.logStore, cache, clock })],
    advertiseHost,
    version: deps.version,
    clock,
    log,
    random,
  });
  cleanup.use(kube);

  const sessions = bootSessionsOf(options, deps);
  const identity = await loadLinkIdentity(client);
  const budget = createWipeBudget(clock, () => cache.list(server));
  const controllers = startPlaneControllers(
    options,
    {
      client,
      cache,
      events,
      timeline,
      sessions,
      budget,
      metrics: metrics.controllers,
      finalConfig,
      clock,
      log,
      random,
    },
    stop.signal,
  );
  cleanup.use(controllers);
  await controllers.ready;
  starting.delete('controllers');

  machines = await startMachineServices(options, {
    advertiseHost,
    identity,
    client,
    cache,
    events,
    timeline,
    sessions,
    budget,
    clock,
    log,
    random,
    records,
  });
  cleanup.use(machines);
  const metricsService = await optional(log, 'metrics', () =>
    startMetricsListener(options.metricsListen, metrics.text),
  );
  if (metricsService !== undefined) cleanup.use(metricsService);
  starting.delete('boot');

  const endpoints: Endpoints = {
    kube: hostPort(kube.address),
    ...machines.endpoints,
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
}

function serversByPhase(cache: ObjectCache): ReadonlyMap<string, number> {
  const phases = Map.groupBy(cache.list(server), ({ status }) => status?.phase ?? 'Discovered');
  return new Map([...phases].map(([phase, servers]) => [phase, servers.length]));
}

/** Which boots are expected and what they may read. */
function bootSessionsOf({ insecureMetadata, dataDir }: ServeOptions, { clock, log }: ServeDeps): BootSessions {
  if (insecureMetadata) {
    log.warn('metadata.insecure', { why: '--insecure-metadata: anybody who knows a UUID reads configurations' });
    return openBootSessions;
  }
  const store = openSessionFile(join(dataDir, 'boot-sessions.jsonl'), (error) =>
    log.error('boot.sessions_not_written', { error: errorText(error) }),
  );
  return createBootSessions({ clock, random, store });
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
