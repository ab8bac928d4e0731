import type { ControllerMetrics } from '@bloomery/kube';
import type { RequestLoad, WebhookCall } from '@bloomery/kubeapi';
import type { EventCounts, LinkMetrics, LogCounts } from '@bloomery/plane';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { addEventMetrics } from './event-metrics.ts';
import { addLinkMetrics } from './link-metrics.ts';
import { addLogMetrics, addRecordMetrics } from './log-metrics.ts';
import { addTotal, addTotals, type ByLabel } from './read-metrics.ts';

/** The product's metrics, by their usual Prometheus names. */
export interface ServeMetrics {
  readonly controllers: ControllerMetrics;
  /** Counts a question to an admission webhook. */
  readonly webhookCalled: (call: WebhookCall) => void;
  /** Prometheus text format. */
  text(): Promise<string>;
}

/** Sizes that are read when somebody asks for the metrics. */
export interface MetricSources {
  /** Servers by phase. */
  readonly serversByPhase: () => ReadonlyMap<string, number>;
  readonly storeRevision: () => number;
  /** Stored objects by resource (`plural.group`). */
  readonly storedObjects: () => ReadonlyMap<string, number>;
  /** Size of the database's files, in bytes. */
  readonly storeBytes: () => number;
  /** Requests of the API at work and waiting. */
  readonly apiLoad: () => RequestLoad;
  readonly auditCounts: () => { readonly written: number; readonly lost: number };
  /** Kernel logs of machines. */
  readonly machineLogs?: LogCounts;
  /** Events of machines. */
  readonly machineEvents?: EventCounts;
  /** Lines of machines that could not be kept, by file. */
  readonly lostRecords?: () => ByLabel;
  /** undefined: the link is not started yet, or there is none. */
  readonly link?: () => LinkMetrics | undefined;
  /** Further families, as text with every line ended. */
  readonly moreText: () => string;
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
    name: 'bloomery_store_revision',
    help: 'Highest committed revision.',
    registers,
    collect() {
      this.set(sources.storeRevision());
    },
  });
  apiMetrics(registers, sources);
  addLinkMetrics(registers, sources.link ?? (() => undefined));
  if (sources.machineLogs !== undefined) addLogMetrics(registers, sources.machineLogs);
  if (sources.machineEvents !== undefined) addEventMetrics(registers, sources.machineEvents);
  if (sources.lostRecords !== undefined) addRecordMetrics(registers, sources.lostRecords);
  return {
    controllers: controllerMetrics(registers),
    webhookCalled: webhookMetrics(registers),
    text: async () => `${(await registry?.metrics()) ?? ''}\n${sources.moreText()}`,
  };
}

/** The API's own, by the names that kube-apiserver gives them. */
function apiMetrics(registers: Registry[], sources: MetricSources): void {
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[], read: (g: Gauge<L>) => void) =>
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        this.reset();
        read(this);
      },
    });
  const byKind = (of: 'inFlight' | 'waiting') => (g: Gauge<'request_kind'>) => {
    for (const [kind, count] of Object.entries(sources.apiLoad()[of])) g.set({ request_kind: kind }, count);
  };
  gauge('apiserver_current_inflight_requests', 'Requests at work.', ['request_kind'], byKind('inFlight'));
  gauge('apiserver_current_inqueue_requests', 'Requests that wait for others.', ['request_kind'], byKind('waiting'));
  gauge('apiserver_storage_objects', 'Stored objects.', ['resource'], (g) => {
    for (const [resource, count] of sources.storedObjects()) g.set({ resource }, count);
  });
  gauge('apiserver_resource_objects', 'Stored objects.', ['group', 'resource'], (g) => {
    for (const [id, count] of sources.storedObjects()) {
      const [resource = '', ...group] = id.split('.');
      g.set({ group: group.join('.'), resource }, count);
    }
  });
  gauge('apiserver_storage_size_bytes', 'Size of the files of the database.', ['storage_cluster_id'], (g) =>
    g.set({ storage_cluster_id: 'bloomery' }, sources.storeBytes()),
  );
  addTotal(
    registers,
    { name: 'apiserver_audit_event_total', help: 'Events of the audit log.' },
    () => sources.auditCounts().written,
  );
  addTotals(
    registers,
    { name: 'apiserver_audit_error_total', help: 'Events that the audit log lost.', label: 'plugin' },
    () => ({ log: sources.auditCounts().lost }),
  );
}

/** Questions to admission webhooks, by the names that kube-apiserver gives them. Labels are bounded by the configurations. */
function webhookMetrics(registers: Registry[]): (call: WebhookCall) => void {
  const labelNames = ['name', 'type', 'operation'] as const;
  const time = new Histogram({
    name: 'apiserver_admission_webhook_admission_duration_seconds',
    help: 'Time until an admission webhook answered.',
    labelNames: [...labelNames, 'rejected'],
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25],
    registers,
  });
  const rejections = new Counter({
    name: 'apiserver_admission_webhook_rejection_count',
    help: 'Requests that a webhook refused, or that failed because it did not answer.',
    labelNames: [...labelNames, 'error_type'],
    registers,
  });
  const passedOver = new Counter({
    name: 'apiserver_admission_webhook_fail_open_count',
    help: 'Webhooks that did not answer and were passed over.',
    labelNames: ['name', 'type'],
    registers,
  });
  return ({ webhook: name, type, operation, outcome, passedOver: isPassedOver, durationMs }) => {
    const isRejected = outcome !== 'allowed' && !isPassedOver;
    time.observe({ name, type, operation, rejected: String(isRejected) }, durationMs / 1000);
    if (isPassedOver) passedOver.inc({ name, type });
    if (!isRejected) return;
    const error_type = outcome === 'failed' ? 'calling_webhook_error' : 'no_error';
    rejections.inc({ name, type, operation, error_type });
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
