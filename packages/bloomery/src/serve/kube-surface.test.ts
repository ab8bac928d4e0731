import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { openStore, type Store } from '@bloomery/kubeapi';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { createKubeSurface, STARTED_PARTS } from './kube-surface.ts';
import { createMetrics } from './metrics.ts';

describe('what surrounds the API of a plane', () => {
  const clock = createFakeClock();
  let dataDir: string;
  let store: Store;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'bloomery-surface-'));
    store = openStore({ dir: dataDir, clock, log: silentLog, random: (length) => randomBytes(length) });
  });
  afterEach(async () => {
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const open = (
    more: { readonly starting?: Set<string>; readonly stopping?: AbortSignal; readonly auditLog?: string } = {},
  ) =>
    createKubeSurface({
      dataDir,
      store,
      clock,
      log: silentLog,
      starting: more.starting ?? new Set(),
      stopping: more.stopping ?? new AbortController().signal,
      auditLog: more.auditLog,
    });

  it('is not ready before all parts have started and once it stops', () => {
    const starting = new Set<string>(STARTED_PARTS);
    const stop = new AbortController();
    const { options } = open({ starting, stopping: stop.signal });
    const problems = (): readonly string[] =>
      (options.health ?? []).flatMap(({ name, problem }) => {
        const text = problem();
        return text === undefined ? [] : [`${name}: ${text}`];
      });
    assert.deepEqual(problems(), ['poststarthook/controllers: not finished', 'poststarthook/boot: not finished']);
    starting.clear();
    assert.deepEqual(problems(), []);
    stop.abort();
    assert.deepEqual(problems(), ['shutdown: process is shutting down']);
    assert.ok(options.health?.every(({ onlyReady }) => onlyReady === true));
  });

  it('keeps an audit log where it is told to, and none otherwise', async () => {
    const file = join(dataDir, 'logs', 'audit.jsonl');
    const surface = open({ auditLog: file });
    surface.options.audit?.({ kind: 'Event', n: 1 });
    await surface[Symbol.asyncDispose]();
    assert.equal(readFileSync(file, 'utf8'), '{"kind":"Event","n":1}\n');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(open().options.audit, undefined);
  });

  it('shows the usual metrics of the API', async () => {
    await store.put({ resource: 'things.g.test', namespace: 'n', name: 'a' }, (resourceVersion) => ({
      apiVersion: 'g.test/v1',
      kind: 'Thing',
      metadata: { name: 'a', namespace: 'n', resourceVersion },
    }));
    const { sources, options } = open();
    options.observer?.answered(
      { verb: 'GET', group: '', version: 'v1', resource: 'nodes', subresource: '', scope: 'resource', dryRun: false },
      200,
      1,
      10,
    );
    const metrics = createMetrics('1.2.3', { ...sources, serversByPhase: () => new Map(), storeRevision: () => 7 });
    const text = await metrics.text();
    for (const line of [
      /^apiserver_current_inflight_requests\{request_kind="mutating"\} 0$/m,
      /^apiserver_current_inqueue_requests\{request_kind="readOnly"\} 0$/m,
      /^apiserver_storage_objects\{resource="things\.g\.test"\} 1$/m,
      /^apiserver_resource_objects\{group="g\.test",resource="things"\} 1$/m,
      /^apiserver_storage_size_bytes\{storage_cluster_id="bloomery"\} \d{4,}$/m,
      /^apiserver_audit_error_total\{plugin="log"\} 0$/m,
      /^apiserver_request_total\{code="200",component="apiserver",.*resource="nodes".*\} 1$/m,
      /^process_resident_memory_bytes \d+/m,
    ])
      assert.match(text, line);
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    assert.equal(new Set(names).size, names.length, 'a family is there twice');
  });

  it('counts questions to webhooks by their outcome', async () => {
    const surface = open();
    const metrics = createMetrics('1.0.0', {
      serversByPhase: () => new Map(),
      storeRevision: () => 1,
      ...surface.sources,
    });
    const call = { webhook: 'w.test', type: 'admit', operation: 'CREATE', durationMs: 20 } as const;
    metrics.webhookCalled({ ...call, outcome: 'denied', passedOver: false });
    metrics.webhookCalled({ ...call, outcome: 'failed', passedOver: true });
    const text = await metrics.text();
    const labels = 'name="w.test",type="admit",operation="CREATE"';
    assert.ok(text.includes(`apiserver_admission_webhook_rejection_count{${labels},error_type="no_error"} 1\n`), text);
    assert.ok(text.includes('apiserver_admission_webhook_fail_open_count{name="w.test",type="admit"} 1\n'));
    const count = 'apiserver_admission_webhook_admission_duration_seconds_count';
    assert.ok(text.includes(`${count}{${labels},rejected="false"} 1`), text);
    await surface[Symbol.asyncDispose]();
  });
});
