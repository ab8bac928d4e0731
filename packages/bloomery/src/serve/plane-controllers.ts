import {
  type Controller,
  type ControllerMetrics,
  type EventRecorder,
  type ObjectClient,
  type RunningControllers,
  startControllers,
  type WritableObjectCache,
} from '@bloomery/kube';
import { machine, serverBinding } from '@bloomery/model';
import {
  type BootSessions,
  createAssetShelf,
  createClusterController,
  createEnvironmentController,
  createHttpFetch,
  createMachineController,
  createMachineDeploymentController,
  createMachineHealthCheckController,
  createMachineSetController,
  createMetalClusterController,
  createMetalMachineController,
  createPowerClients,
  createServerBindingController,
  createServerClassController,
  createServerController,
  createTalosConfigController,
  createTalosControlPlaneController,
  environmentsFolder,
  type FinalConfig,
  type Timeline,
  type WipeBudget,
} from '@bloomery/plane';
import type { Clock, Logger, RandomBytes } from '@bloomery/ports';
import { type ClusterServices, createClusterServices } from './cluster-services.ts';
import { defaultEnvironmentSpec } from './default-environment.ts';
import type { ServeOptions } from './options.ts';

/** What the controllers of the journey need. */
export interface PlaneControllersDeps {
  readonly client: ObjectClient;
  readonly cache: WritableObjectCache;
  readonly events: EventRecorder;
  readonly timeline: Timeline;
  readonly sessions: BootSessions;
  readonly budget: WipeBudget;
  readonly metrics: ControllerMetrics;
  /** Of machines that boot from here; absent, they cannot be changed in place. */
  readonly finalConfig?: FinalConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
}

/**
 * Start every controller of the journey; they fill the cache. Disposing ends them, and what only they use.
 *
 * @throws when the file of the default Environment cannot be read.
 */
export function startPlaneControllers(
  options: ServeOptions,
  deps: PlaneControllersDeps,
  signal: AbortSignal,
): RunningControllers {
  const { client, cache, events, timeline, sessions, budget, metrics, clock, log, random } = deps;
  const defaultSpec = defaultEnvironmentSpec(options.environmentFile);
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
  const shelf = createAssetShelf({
    folder: environmentsFolder(options.dataDir),
    fetch: createHttpFetch(process.env),
    clock,
    log,
  });
  const clusters = createClusterServices({ client, cache, clock, log }, signal);
  const running = startControllers(
    {
      client,
      cache,
      clock,
      log,
      random: Math.random,
      events,
      metrics,
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
        createEnvironmentController({ shelf, defaultSpec }),
        createMetalClusterController(),
        createMetalMachineController({ timeline, workload: clusters.workload }),
        createServerBindingController({ timeline }),
        createTalosConfigController({ random }),
        createTalosControlPlaneController({
          ...clusters,
          clock,
          random,
          ...(deps.finalConfig === undefined ? {} : { finalConfig: deps.finalConfig }),
        }),
        ...(options.clusterApi === 'embedded' ? clusterApiCore(clusters, random) : []),
      ],
    },
    signal,
  );
  return {
    ...running,
    [Symbol.asyncDispose]: async () => {
      await running[Symbol.asyncDispose]();
      await clusters[Symbol.asyncDispose]();
      await shelf.close();
      await powers[Symbol.asyncDispose]();
    },
  };
}

/** Cluster API core, which in cluster mode is upstream's. */
function clusterApiCore({ kinds, workload }: ClusterServices, random: RandomBytes): readonly Controller[] {
  return [
    createClusterController(kinds),
    createMachineController({ ...kinds, workloads: workload }),
    createMachineSetController({ kinds, random }),
    createMachineDeploymentController({ kinds }),
    createMachineHealthCheckController({ kinds, workload }),
  ];
}
