import assert from 'node:assert/strict';
import type { KindRef, KubeObject } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { ObjectClient, WatchEvent } from '../object-client.ts';

interface ConfigMapLike extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}
interface ServerLike extends KubeObject {
  readonly spec?: { readonly accepted: boolean; readonly cordoned?: boolean; readonly hostname?: string };
  readonly status?: { readonly isClean?: boolean; readonly power?: string };
}

const CONFIG_MAP: KindRef<ConfigMapLike> = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  scope: 'Namespaced',
};
const SERVER: KindRef<ServerLike> = {
  group: 'metal.sidero.dev',
  version: 'v1alpha2',
  kind: 'Server',
  plural: 'servers',
  scope: 'Cluster',
};

/** One promise of the ObjectClient contract. */
export interface ConformanceCase {
  /** A sentence about behaviour: the test's name. */
  readonly name: string;
  readonly run: () => Promise<void>;
}

let serial = 0;
const fresh = (): string => `conformance-${process.pid}-${++serial}`;

function configMap(name: string, data: Record<string, string> = {}): ConfigMapLike {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data };
}

function server(name: string, more: Partial<KubeObject['metadata']> = {}): ServerLike {
  const metadata = { name, ...more };
  return { apiVersion: 'metal.sidero.dev/v1alpha2', kind: 'Server', metadata, spec: { accepted: false } };
}

async function refused(code: Parameters<typeof isBloomeryError>[1], call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(isBloomeryError(error, code), `expected ${code}, got ${String(error)}`);
    return true;
  });
}

/** Reads watch events (without bookmarks) until `count` are there; fails after 10 s. */
async function take<T extends KubeObject>(
  client: ObjectClient,
  kind: KindRef<T>,
  options: { readonly resourceVersion?: string; readonly labels?: string; readonly namespace?: string },
  count: number,
): Promise<WatchEvent<T>[]> {
  const stop = AbortSignal.timeout(10_000);
  const abort = new AbortController();
  const signal = AbortSignal.any([stop, abort.signal]);
  const events: WatchEvent<T>[] = [];
  for await (const event of client.watch(kind, { ...options, signal })) {
    if (event.type !== 'BOOKMARK') events.push(event);
    if (events.length === count) break;
  }
  abort.abort();
  assert.equal(events.length, count, `watch ended after ${events.length} of ${count} events`);
  return events;
}

/**
 * What every ObjectClient must do, as cases for any test runner. The API behind `makeClient` must serve ConfigMap (core v1),
 * Server (metal.sidero.dev/v1alpha2) and a namespace `default`. Cases use names of their own and may share one store.
 */
export function objectClientConformance(makeClient: () => Promise<ObjectClient> | ObjectClient): ConformanceCase[] {
  const withClient = (name: string, body: (client: ObjectClient, name: string) => Promise<void>): ConformanceCase => ({
    name,
    run: async () => body(await makeClient(), fresh()),
  });
  return [...writeCases(withClient), ...deletionCases(withClient), ...listAndWatchCases(withClient)];
}

type Define = (name: string, body: (client: ObjectClient, name: string) => Promise<void>) => ConformanceCase;

function writeCases(define: Define): ConformanceCase[] {
  return [
    define('a created object has uid, resourceVersion and creationTimestamp and can be read', async (client, name) => {
      const made = await client.create(CONFIG_MAP, configMap(name, { a: '1' }));
      assert.match(made.metadata.creationTimestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.ok(made.metadata.uid);
      const read = await client.get(CONFIG_MAP, { name, namespace: 'default' });
      assert.deepEqual(read.data, { a: '1' });
      assert.equal(read.metadata.resourceVersion, made.metadata.resourceVersion);
      assert.equal(read.apiVersion, 'v1');
      assert.equal(read.kind, 'ConfigMap');
    }),
    define('creating twice is refused as already existing', async (client, name) => {
      await client.create(SERVER, server(name));
      await refused('BLM_API_ALREADY_EXISTS', client.create(SERVER, server(name)));
    }),
    define('what is not there is refused as not found by every verb', async (client, name) => {
      await refused('BLM_API_NOT_FOUND', client.get(SERVER, { name }));
      await refused('BLM_API_NOT_FOUND', client.patch(SERVER, { name }, { type: 'merge', body: { spec: {} } }));
      await refused('BLM_API_NOT_FOUND', client.delete(SERVER, { name }));
    }),
    define('an update from a stale read is refused as a conflict', async (client, name) => {
      const made = await client.create(CONFIG_MAP, configMap(name));
      const second = await client.update(CONFIG_MAP, { ...made, data: { a: '1' } });
      assert.notEqual(second.metadata.resourceVersion, made.metadata.resourceVersion);
      await refused('BLM_API_CONFLICT', client.update(CONFIG_MAP, { ...made, data: { a: '2' } }));
    }),
    define('a merge patch with a stale resourceVersion is refused as a conflict', async (client, name) => {
      const made = await client.create(SERVER, server(name));
      const { resourceVersion = '' } = made.metadata;
      const body = { metadata: { resourceVersion }, spec: { hostname: 'a' } };
      await client.patch(SERVER, { name }, { type: 'merge', body });
      await refused('BLM_API_CONFLICT', client.patch(SERVER, { name }, { type: 'merge', body }));
    }),
    define('a merge patch merges objects and deletes with null', async (client, name) => {
      const key = { name, namespace: 'default' };
      await client.create(CONFIG_MAP, configMap(name, { a: '1', b: '2' }));
      const patched = await client.patch(CONFIG_MAP, key, { type: 'merge', body: { data: { a: null, c: '3' } } });
      assert.deepEqual(patched.data, { b: '2', c: '3' });
    }),
    define('a write that changes nothing keeps the resourceVersion', async (client, name) => {
      const made = await client.create(SERVER, server(name));
      const same = await client.patch(SERVER, { name }, { type: 'merge', body: { spec: { accepted: false } } });
      assert.equal(same.metadata.resourceVersion, made.metadata.resourceVersion);
    }),
    define('status is written only through its subresource and spec only without', async (client, name) => {
      const made = await client.create(SERVER, { ...server(name), status: { isClean: true } });
      assert.equal(made.status?.isClean, undefined);
      const body = { spec: { accepted: true }, status: { isClean: true } };
      const status = await client.patch(SERVER, { name }, { type: 'merge', body }, { subresource: 'status' });
      assert.equal(status.spec?.accepted, false);
      assert.equal(status.status?.isClean, true);
      const spec = await client.patch(
        SERVER,
        { name },
        { type: 'merge', body: { ...body, status: { isClean: false } } },
      );
      assert.equal(spec.spec?.accepted, true);
      assert.equal(spec.status?.isClean, true);
    }),
    define('generation rises with spec, not with status or metadata', async (client, name) => {
      const made = await client.create(SERVER, server(name));
      assert.equal(made.metadata.generation, 1);
      const merge = { type: 'merge' } as const;
      const status = { ...merge, body: { status: { power: 'on' } } };
      assert.equal((await client.patch(SERVER, { name }, status, { subresource: 'status' })).metadata.generation, 1);
      const labels = { ...merge, body: { metadata: { labels: { a: 'b' } } } };
      assert.equal((await client.patch(SERVER, { name }, labels)).metadata.generation, 1);
      const spec = { ...merge, body: { spec: { accepted: true } } };
      assert.equal((await client.patch(SERVER, { name }, spec)).metadata.generation, 2);
    }),
    define('a dry run stores nothing', async (client, name) => {
      await client.create(SERVER, server(name), { dryRun: true });
      await refused('BLM_API_NOT_FOUND', client.get(SERVER, { name }));
    }),
  ];
}

function deletionCases(define: Define): ConformanceCase[] {
  return [
    define('without finalizers an object is gone at once', async (client, name) => {
      await client.create(SERVER, server(name));
      await client.delete(SERVER, { name });
      await refused('BLM_API_NOT_FOUND', client.get(SERVER, { name }));
    }),
    define('with a finalizer it stays, marked, until the finalizer is removed', async (client, name) => {
      await client.create(SERVER, server(name, { finalizers: ['example.dev/hold'] }));
      await client.delete(SERVER, { name });
      const held = await client.get(SERVER, { name });
      assert.match(held.metadata.deletionTimestamp ?? '', /Z$/);
      await client.delete(SERVER, { name });
      assert.equal((await client.get(SERVER, { name })).metadata.deletionTimestamp, held.metadata.deletionTimestamp);
      await client.patch(SERVER, { name }, { type: 'merge', body: { metadata: { finalizers: null } } });
      await refused('BLM_API_NOT_FOUND', client.get(SERVER, { name }));
    }),
    define('a delete for another uid is refused as a conflict', async (client, name) => {
      await client.create(SERVER, server(name));
      const uid = 'ffffffff-0000-4000-8000-000000000000';
      await refused('BLM_API_CONFLICT', client.delete(SERVER, { name }, { uid }));
    }),
  ];
}

function listAndWatchCases(define: Define): ConformanceCase[] {
  return [
    define('a list selects by label and by name, sorted, and pages', async (client, name) => {
      for (const [suffix, tier] of [
        ['b', 'x'],
        ['a', 'x'],
        ['c', 'y'],
      ]) {
        await client.create(SERVER, server(`${name}-${suffix}`, { labels: { test: name, tier: `${tier}` } }));
      }
      const names = (list: { readonly items: readonly KubeObject[] }): string[] =>
        list.items.map((o) => o.metadata.name);
      const labels = `test=${name}`;
      assert.deepEqual(names(await client.list(SERVER, { labels })), [`${name}-a`, `${name}-b`, `${name}-c`]);
      assert.deepEqual(names(await client.list(SERVER, { labels: `${labels},tier!=x` })), [`${name}-c`]);
      assert.deepEqual(names(await client.list(SERVER, { labels: `${labels},tier in (x)` })), [
        `${name}-a`,
        `${name}-b`,
      ]);
      assert.deepEqual(names(await client.list(SERVER, { fields: `metadata.name=${name}-b` })), [`${name}-b`]);
      const page = await client.list(SERVER, { labels, limit: 2 });
      assert.deepEqual(names(page), [`${name}-a`, `${name}-b`]);
      assert.ok(page.continue);
      assert.deepEqual(names(await client.list(SERVER, { labels, limit: 2, continue: page.continue })), [`${name}-c`]);
    }),
    define('a watch from a list tells every later change once, in order', async (client, name) => {
      const labels = `test=${name}`;
      const { resourceVersion } = await client.list(SERVER, { labels });
      const seen = take(client, SERVER, { labels, resourceVersion }, 3);
      await client.create(SERVER, server(name, { labels: { test: name } }));
      await client.patch(SERVER, { name }, { type: 'merge', body: { spec: { accepted: true } } });
      await client.delete(SERVER, { name });
      const events = await seen;
      assert.deepEqual(
        events.map((event) => event.type),
        ['ADDED', 'MODIFIED', 'DELETED'],
      );
    }),
    define('a watch without a revision begins with everything that is there', async (client, name) => {
      await client.create(SERVER, server(name, { labels: { test: name } }));
      const [first] = await take(client, SERVER, { labels: `test=${name}` }, 1);
      assert.equal(first?.type, 'ADDED');
    }),
    define('an object that leaves the selection is told as deleted', async (client, name) => {
      await client.create(SERVER, server(name, { labels: { test: name } }));
      const labels = `test=${name}`;
      const { resourceVersion } = await client.list(SERVER, { labels });
      await client.patch(SERVER, { name }, { type: 'merge', body: { metadata: { labels: { test: 'other' } } } });
      const [event] = await take(client, SERVER, { labels, resourceVersion }, 1);
      assert.equal(event?.type, 'DELETED');
    }),
    define('a watch ends when its signal aborts', async (client) => {
      const abort = new AbortController();
      const ended = (async () => {
        for await (const _event of client.watch(SERVER, { signal: abort.signal })) abort.abort();
        return true;
      })();
      setImmediate(() => abort.abort());
      assert.equal(await ended, true);
    }),
  ];
}
