import type { ApiObserver, RequestLabels } from './api-observer.ts';

/** The request metrics of kube-apiserver, by their names and labels. */
export interface RequestMetrics {
  readonly observer: ApiObserver;
  /** Prometheus text, every line ended. */
  text(): string;
}

const DURATION_SECONDS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];
const RESPONSE_BYTES = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
const EVENT_BYTES = [1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072];

/** What is counted for requests with the same labels. */
interface RequestSeries {
  readonly labels: string;
  readonly watchLabels: string;
  readonly codes: Map<number, number>;
  readonly terminated: Map<number, number>;
  readonly durations: Histogram;
  readonly sizes: Histogram;
  readonly eventSizes: Histogram;
  events: number;
  watches: number;
  hasWatched: boolean;
}

/**
 * Make the metrics. Counting is a few additions in memory: prom-client would hash nine labels for each of several metrics with
 * every request. The labels are bounded by what is served.
 */
export function createRequestMetrics(): RequestMetrics {
  const all = new Map<string, RequestSeries>();
  const seriesOf = (labels: RequestLabels): RequestSeries => {
    const { verb, group, version, resource, subresource, scope, dryRun } = labels;
    const key = `${verb}\0${group}\0${version}\0${resource}\0${subresource}\0${scope}\0${dryRun}`;
    let series = all.get(key);
    if (series === undefined) {
      series = newSeries(labels);
      all.set(key, series);
    }
    return series;
  };
  return {
    observer: {
      answered(labels, code, durationMs, bytes) {
        const series = seriesOf(labels);
        series.codes.set(code, (series.codes.get(code) ?? 0) + 1);
        // A watch takes as long as its caller wants: that says nothing about the server.
        if (labels.verb !== 'WATCH') series.durations.add(durationMs / 1000);
        if (bytes !== undefined) series.sizes.add(bytes);
      },
      watchStarted(labels) {
        const series = seriesOf(labels);
        series.watches += 1;
        series.hasWatched = true;
      },
      watchEnded(labels) {
        seriesOf(labels).watches -= 1;
      },
      watchEvents(labels, events, bytes) {
        const series = seriesOf(labels);
        series.events += events;
        series.eventSizes.add(bytes / events, events);
      },
      terminated(labels, code) {
        const { terminated } = seriesOf(labels);
        terminated.set(code, (terminated.get(code) ?? 0) + 1);
      },
    },
    text: () => textOf([...all.values()]),
  };
}

function newSeries({ verb, group, version, resource, subresource, scope, dryRun }: RequestLabels): RequestSeries {
  const labels = labelText({
    component: 'apiserver',
    dry_run: dryRun ? 'All' : '',
    group,
    resource,
    scope,
    subresource,
    verb,
    version,
  });
  return {
    labels,
    watchLabels: labelText({ group, resource, version }),
    codes: new Map(),
    terminated: new Map(),
    durations: new Histogram(DURATION_SECONDS),
    sizes: new Histogram(RESPONSE_BYTES),
    eventSizes: new Histogram(EVENT_BYTES),
    events: 0,
    watches: 0,
    hasWatched: false,
  };
}

/** Counts of values up to each bound, their number and sum. */
class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #count = 0;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  add(value: number, times = 1): void {
    const at = this.#bounds.findIndex((bound) => value <= bound);
    if (at >= 0) this.#counts[at] = (this.#counts[at] ?? 0) + times;
    this.#count += times;
    this.#sum += value * times;
  }

  lines(name: string, labels: string): readonly string[] {
    if (this.#count === 0) return [];
    let below = 0;
    const buckets = this.#bounds.map((bound, i) => {
      below += this.#counts[i] ?? 0;
      return `${name}_bucket{${labels},le="${bound}"} ${below}`;
    });
    return [
      ...buckets,
      `${name}_bucket{${labels},le="+Inf"} ${this.#count}`,
      `${name}_sum{${labels}} ${this.#sum}`,
      `${name}_count{${labels}} ${this.#count}`,
    ];
  }
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const escaped = (text: string): string => text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');
}

function textOf(all: readonly RequestSeries[]): string {
  const codes = (of: (series: RequestSeries) => ReadonlyMap<number, number>, name: string): readonly string[] =>
    all.flatMap((series) => [...of(series)].map(([code, n]) => `${name}{code="${code}",${series.labels}} ${n}`));
  const watched = all.filter(({ hasWatched }) => hasWatched);
  const byResource = Map.groupBy(watched, ({ watchLabels }) => watchLabels);
  const events = [...byResource].map(([labels, of]) => `${labels}} ${of.reduce((sum, one) => sum + one.events, 0)}`);
  return [
    ...family('apiserver_request_total', 'counter', 'Requests by verb, resource and HTTP code.', (name) =>
      codes((series) => series.codes, name),
    ),
    ...family(
      'apiserver_request_terminations_total',
      'counter',
      'Requests refused or given up by the server.',
      (name) => codes((series) => series.terminated, name),
    ),
    ...family('apiserver_request_duration_seconds', 'histogram', 'Time to answer, without watches.', (name) =>
      all.flatMap(({ durations, labels }) => durations.lines(name, labels)),
    ),
    ...family('apiserver_response_sizes', 'histogram', 'Bytes of answers whose length is known.', (name) =>
      all.flatMap(({ sizes, labels }) => sizes.lines(name, labels)),
    ),
    ...family('apiserver_longrunning_requests', 'gauge', 'Open watches.', (name) =>
      watched.map(({ watches, labels }) => `${name}{${labels}} ${watches}`),
    ),
    ...family('apiserver_watch_events_total', 'counter', 'Events sent to watchers.', (name) =>
      events.map((line) => `${name}{${line}`),
    ),
    ...family('apiserver_watch_events_sizes', 'histogram', 'Bytes of an event; of a batch, the mean.', (name) =>
      [...byResource.values()].flatMap(([first]) => first?.eventSizes.lines(name, first.watchLabels) ?? []),
    ),
    '',
  ].join('\n');
}

function family(
  name: string,
  type: 'counter' | 'gauge' | 'histogram',
  help: string,
  lines: (name: string) => readonly string[],
): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines(name)];
}
