import type { ControllerMetrics } from '@bloomery/kube';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** The product's metrics, by their usual Prometheus names. */
export interface ServeMetrics {
  readonly controllers: ControllerMetrics;
  observeApi(request: { readonly verb: string; readonly resource: string; readonly code: number }): void;
  /** Prometheus text format. */
  text(): Promise<string>;
}

/** Sizes that are read when somebody asks for the metrics. */
export interface MetricSources {
  /** Servers by phase. */
  readonly serversByPhase: () => ReadonlyMap<string, number>;
  readonly watchers: () => number;
  readonly storeRevision: () => number;
}

/** Make the registry. Label values are bounded: verbs, resources, codes, controllers and phases only. */
export function createMetrics(version: string, sources: MetricSources): ServeMetrics {
  const registers = [new Registry()];
  const [registry] = registers;
  // The library samples the loop's delay a hundred times a second, which is most of what an idle plane would do. Its other
  // figure, nodejs_eventloop_lag_seconds, is measured when somebody asks.
  collectDefaultMetrics({
    ...(registry === undefined ? {} : { register: registry }),
    eventLoopMonitoringPrecision: 24 * 3_600_000,
  });
  for (const part of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99']) {
    registry?.removeSingleMetric(`nodejs_eventloop_lag_${part}_seconds`);
  }
  new Gauge({
    name: 'bloomery_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: process.version }, 1);
  new Gauge({
    name: 'bloomery_servers',
    help: 'Servers by phase.',
    labelNames: ['phase'],
    registers,
    collect() {
      this.reset();
      for (const [phase, count] of sources.serversByPhase()) this.set({ phase }, count);
    },
  });
  new Gauge({
    name: 'apiserver_longrunning_requests',
    help: 'Running watches.',
    registers,
    collect() {
      this.set(sources.watchers());
    },
  });
  new Gauge({
    name: 'bloomery_store_revision',
    help: 'Highest committed revision.',
    registers,
    collect() {
      this.set(sources.storeRevision());
    },
  });
  const requests = new Counter({
    name: 'apiserver_request_total',
    help: 'Requests to the Kubernetes API.',
    labelNames: ['verb', 'resource', 'code'],
    registers,
  });
  return {
    controllers: controllerMetrics(registers),
    observeApi: (labels) => requests.inc(labels),
    text: async () => (await registry?.metrics()) ?? '',
  };
}

function controllerMetrics(registers: Registry[]): ControllerMetrics {
  const named = { labelNames: ['name'], registers } as const;
  const depth = new Gauge({ name: 'workqueue_depth', help: 'Keys that wait.', ...named });
  const adds = new Counter({ name: 'workqueue_adds_total', help: 'Keys added.', ...named });
  const retries = new Counter({ name: 'workqueue_retries_total', help: 'Keys tried again after an error.', ...named });
  const total = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciliations by result.',
    labelNames: ['controller', 'result'],
    registers,
  });
  const errors = new Counter({
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Failed reconciliations.',
    labelNames: ['controller'],
    registers,
  });
  const time = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Duration of a reconciliation.',
    labelNames: ['controller'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30],
    registers,
  });
  return {
    depth: (name, keys) => depth.set({ name }, keys),
    added: (name) => adds.inc({ name }),
    retried: (name) => retries.inc({ name }),
    reconciled(controller, result, durationMs) {
      total.inc({ controller, result });
      if (result === 'error') errors.inc({ controller });
      time.observe({ controller }, durationMs / 1000);
    },
  };
}
