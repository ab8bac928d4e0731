import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestLabels } from './api-observer.ts';
import { createRequestMetrics } from './request-metrics.ts';

const GET: RequestLabels = {
  verb: 'GET',
  group: '',
  version: 'v1',
  resource: 'configmaps',
  subresource: '',
  scope: 'resource',
  dryRun: false,
};
const WATCH: RequestLabels = { ...GET, verb: 'WATCH', scope: 'namespace' };
const LABELS =
  'component="apiserver",dry_run="",group="",resource="configmaps",scope="resource",subresource="",verb="GET",version="v1"';
const WATCH_LABELS = LABELS.replace('"resource"', '"namespace"').replace('"GET"', '"WATCH"');

describe('the metrics of requests', () => {
  const linesOf = (text: string): ReadonlySet<string> => new Set(text.split('\n'));

  it('count by code and time every answer', () => {
    const { observer, text } = createRequestMetrics();
    observer.answered(GET, 200, 3, 500);
    observer.answered(GET, 200, 30, 50_000);
    observer.answered(GET, 404, 70_000, undefined);
    const lines = linesOf(text());
    for (const line of [
      '# TYPE apiserver_request_total counter',
      `apiserver_request_total{code="200",${LABELS}} 2`,
      `apiserver_request_total{code="404",${LABELS}} 1`,
      `apiserver_request_duration_seconds_bucket{${LABELS},le="0.005"} 1`,
      `apiserver_request_duration_seconds_bucket{${LABELS},le="0.05"} 2`,
      `apiserver_request_duration_seconds_bucket{${LABELS},le="60"} 2`,
      `apiserver_request_duration_seconds_bucket{${LABELS},le="+Inf"} 3`,
      `apiserver_request_duration_seconds_count{${LABELS}} 3`,
      `apiserver_response_sizes_bucket{${LABELS},le="1000"} 1`,
      `apiserver_response_sizes_sum{${LABELS}} 50500`,
    ])
      assert.ok(lines.has(line), line);
  });

  it('show open watches and their events', () => {
    const { observer, text } = createRequestMetrics();
    observer.watchStarted(WATCH);
    observer.watchStarted(WATCH);
    observer.watchEvents(WATCH, 3, 3000);
    observer.watchEnded(WATCH);
    observer.answered(WATCH, 200, 1e6, undefined);
    const all = text();
    const lines = linesOf(all);
    for (const line of [
      `apiserver_longrunning_requests{${WATCH_LABELS}} 1`,
      'apiserver_watch_events_total{group="",resource="configmaps",version="v1"} 3',
      'apiserver_watch_events_sizes_bucket{group="",resource="configmaps",version="v1",le="1024"} 3',
      `apiserver_request_total{code="200",${WATCH_LABELS}} 1`,
    ])
      assert.ok(lines.has(line), line);
    assert.ok(!all.includes('apiserver_request_duration_seconds_count'));
  });

  it('count what was refused or given up', () => {
    const { observer, text } = createRequestMetrics();
    observer.terminated(GET, 429);
    assert.ok(linesOf(text()).has(`apiserver_request_terminations_total{code="429",${LABELS}} 1`));
  });

  it('are text that ends with a line feed, also when nothing happened yet', () => {
    const { text } = createRequestMetrics();
    assert.match(text(), /^(?:# (?:HELP|TYPE) \w+ .+\n)+$/);
  });
});
