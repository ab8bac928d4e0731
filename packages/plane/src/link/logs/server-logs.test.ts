import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createObjectCache, type StreamedResource, type WritableObjectCache } from '@bloomery/kube';
import { type KubeObject, metalMachine, server, serverBinding } from '@bloomery/model';
import { isBloomeryError, silentLog, systemClock } from '@bloomery/ports';
import { type LogStore, openLogStore } from './log-store.ts';
import { createServerLogs, MAX_LOG_STREAMS } from './server-logs.ts';

const T0 = Date.parse('2026-01-01T00:00:00Z');

describe('the resource of kernel logs', () => {
  let dir: string;
  let store: LogStore;
  let cache: WritableObjectCache;
  let logs: StreamedResource;
  let nowMs: number;
  let stop: AbortController;
  beforeEach(() => {
    nowMs = T0;
    stop = new AbortController();
    const clock = { ...systemClock, nowMs: () => nowMs };
    dir = mkdtempSync(join(tmpdir(), 'bloomery-logs-'));
    store = openLogStore({ dir, clock, log: silentLog });
    cache = createObjectCache();
    logs = createServerLogs({ store, cache, clock });
  });
  afterEach(async () => {
    stop.abort();
    await store[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  const open = (path: string, user = 'admin') => {
    const { pathname, searchParams: query } = new URL(path, 'http://x/');
    const parts = pathname.slice(1).split('/');
    const isInNamespace = parts[0] === 'namespaces';
    const namespace = isInNamespace ? parts[1] : undefined;
    const name = isInNamespace ? parts[2] : parts[0] || undefined;
    return logs.open({ namespace, name, query, user, signal: stop.signal }).pieces[Symbol.asyncIterator]();
  };
  const read = async (path: string): Promise<string[]> => {
    const pieces = open(path);
    let text = '';
    for (let piece = await pieces.next(); piece.done !== true; piece = await pieces.next()) text += piece.value;
    return text.split('\n').slice(0, -1);
  };
  const codeOf = (path: string): unknown => {
    try {
      open(path);
      return 200;
    } catch (error) {
      return isBloomeryError(error) ? (error.facts['status'] as { code: number }).code : error;
    }
  };
  let version = 0;
  const object = (kind: string, name: string, rest: object): KubeObject => {
    const { metadata = {}, ...more } = rest as { metadata?: object };
    version += 1;
    return { apiVersion: 'x/v1', kind, ...more, metadata: { name, resourceVersion: String(version), ...metadata } };
  };
  const bind = (name: string, machine: string, cluster: string, namespace = 'default', createdMs = T0): void => {
    const labels = { 'cluster.x-k8s.io/cluster-name': cluster };
    const metadata = { labels, creationTimestamp: new Date(createdMs).toISOString() };
    const spec = { metalMachineRef: { name: machine, namespace } };
    cache.put(serverBinding, object('ServerBinding', name, { metadata, spec }));
  };
  const own = (name: string, machine: string): void => {
    const ownerReferences = [{ apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Machine', name: machine, uid: 'u' }];
    const metadata = { namespace: 'default', ownerReferences };
    cache.put(metalMachine, object('MetalMachine', name, { metadata }));
  };
  const say = (from: string, n: number): string => {
    const line = `{"msg":"${from} says ${n}\\n"}`;
    store.write(line, from);
    nowMs += 1000;
    return line;
  };

  it('gives the lines of a Server, of a MetalMachine, of a Machine, of a Cluster, of a namespace, and all', async () => {
    bind('a', 'mm-a', 'one');
    bind('b', 'mm-b', 'one');
    bind('c', 'mm-c', 'two');
    bind('d', 'mm-d', 'one', 'other');
    own('mm-b', 'machine-b');
    const [a = '', b = '', c = '', d = '', e = ''] = ['a', 'b', 'c', 'd', 'e'].map(say);
    assert.deepEqual(await read('/a'), [a]);
    assert.deepEqual(await read('/namespaces/default?metalmachine=mm-c'), [c]);
    assert.deepEqual(await read('/namespaces/default?machine=machine-b'), [b]);
    assert.deepEqual(await read('/namespaces/default?cluster=one'), [a, b]);
    assert.deepEqual(await read('/namespaces/other?cluster=one'), [d]);
    assert.deepEqual(await read('/namespaces/default'), [a, b, c]);
    assert.deepEqual(await read('/namespaces/nobody'), []);
    assert.deepEqual(await read('/'), [a, b, c, d, e]);
  });

  it('gives a machine only what its Server said since it was allocated to it', async () => {
    const before = say('a', 1);
    bind('a', 'mm-a', 'one', 'default', nowMs);
    const since = say('a', 2);
    assert.deepEqual(await read('/namespaces/default?cluster=one'), [since]);
    assert.deepEqual(await read('/a'), [before, since]);
  });

  it('understands since, tail, grep and cursors', async () => {
    const [one = '', two = '', three = ''] = [1, 2, 3].map((n) => say('a', n));
    assert.deepEqual(await read('/a?since=2s'), [two, three]);
    assert.deepEqual(await read('/a?tail=1'), [three]);
    assert.deepEqual(await read('/a?grep=%5Ea+says+%5B12%5D'), [one, two]);
    const [cursor] = (await read('/a?cursors=true'))[0]?.split(' ') ?? [];
    assert.deepEqual(await read(`/a?after=${cursor}`), [two, three]);
  });

  it('refuses what it does not understand, before it answers', () => {
    say('a', 1);
    const bad = [
      'since=yesterday',
      'since=-1h',
      'tail=x',
      'tail=-1',
      'tail=1000000',
      'grep=(',
      'after=../x',
      'cluster=c',
    ];
    for (const query of bad) assert.equal(codeOf(`/a?${query}`), 400, query);
    assert.equal(codeOf(`/a?grep=${'x'.repeat(1001)}`), 400);
    assert.equal(codeOf('/a?grep=x%5Bxy%5D%7B500%7D'), 400, 'each character would cost 500 steps');
    assert.equal(codeOf('/namespaces/default?cluster=a&machine=b'), 400);
    assert.equal(codeOf('/namespaces/default/a'), 400);
    assert.equal(codeOf('/nobody'), 404);
    assert.equal(codeOf('/..%2f..%2fetc'), 404);
    cache.put(server, object('Server', 'known', {}));
    assert.equal(codeOf('/known'), 200, 'a Server that said nothing yet');
  });

  it('takes patterns that would hang others', async () => {
    store.write(`{"msg":"${'a'.repeat(50_000)}!"}`, 'a');
    assert.deepEqual(await read('/a?grep=(a%2B)%2Bb'), []);
    assert.deepEqual(await read('/a?grep=!'), [], 'only what a kernel could have said is looked at');
  });

  it('is read by so many at a time, and ends when its callers go', async () => {
    say('a', 1);
    const streams = [];
    for (let i = 0; i < MAX_LOG_STREAMS.user; i++) {
      const stream = open('/a?follow=true');
      await stream.next();
      streams.push(stream);
    }
    assert.equal(codeOf('/a'), 429);
    assert.doesNotThrow(() => open('/a', 'somebody else'));
    stop.abort();
    for (const stream of streams) assert.equal((await stream.next()).done, true);
    assert.equal(codeOf('/a'), 200);
  });
});
