import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ConfigMap, configMap, keyText, secret } from '@bloomery/model';
import { BloomeryError, createFakeClock, isBloomeryError, silentLog } from '@bloomery/ports';
import type { Controller } from './controller.ts';
import { watchSource } from './controller.ts';
import { checkWriters, startControllers } from './start-controllers.ts';
import { createMemoryClient, type MemoryClient } from './testing/memory-client.ts';

const object = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});

const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

async function running(controllers: readonly Controller[], client: MemoryClient = createMemoryClient()) {
  const clock = createFakeClock(1_700_000_000_000);
  const started = startControllers(
    { client, clock, log: silentLog, random: () => 0, controllers, events: { record() {} } },
    new AbortController().signal,
  );
  await started.ready;
  return { client, clock, started };
}

const recorder = (seen: string[], more: Partial<Controller> = {}): Controller => ({
  name: 'recorder',
  kind: configMap,
  watches: [],
  writes: [],
  async reconcile(key) {
    seen.push(keyText(key));
    return {};
  },
  ...more,
});

describe('controllers', () => {
  it('are called for every object that is there and for every later change and removal', async () => {
    const seen: string[] = [];
    const client = createMemoryClient();
    await client.create(configMap, object('a'));
    const { started } = await running([recorder(seen)], client);
    await settle();
    assert.deepEqual(seen, ['default/a']);
    assert.equal(started.cache.get(configMap, { name: 'a', namespace: 'default' })?.metadata.name, 'a');
    await client.delete(configMap, { name: 'a', namespace: 'default' });
    await settle();
    assert.deepEqual(seen, ['default/a', 'default/a']);
    assert.equal(started.cache.list(configMap).length, 0);
    await started[Symbol.asyncDispose]();
  });

  it('are asked again after the time they wish, and after failures with growing back-off', async () => {
    const seen: string[] = [];
    const outcome = ['fail', 'fail', 'later', 'done'];
    const controller = recorder(seen, {
      async reconcile(key) {
        seen.push(keyText(key));
        const next = outcome.shift();
        if (next === 'fail') throw new Error('broken');
        return next === 'later' ? { afterMs: 5000 } : {};
      },
    });
    const { client, clock, started } = await running([controller]);
    await client.create(configMap, object('a'));
    await settle();
    assert.equal(seen.length, 1);
    await clock.advance(500);
    assert.equal(seen.length, 2);
    await clock.advance(999);
    assert.equal(seen.length, 2);
    await clock.advance(1);
    assert.equal(seen.length, 3);
    await clock.advance(5000);
    assert.equal(seen.length, 4);
    await clock.advance(600_000);
    assert.equal(seen.length, 4);
    await started[Symbol.asyncDispose]();
  });

  it('park a key on a final error until its object changes', async () => {
    const seen: string[] = [];
    const controller = recorder(seen, {
      async reconcile(key) {
        seen.push(keyText(key));
        throw new BloomeryError('BLM_WIRE_MALFORMED', 'never works');
      },
    });
    const { client, clock, started } = await running([controller]);
    await client.create(configMap, object('a'));
    await clock.advance(600_000);
    assert.equal(seen.length, 1);
    await client.patch(configMap, { name: 'a', namespace: 'default' }, { type: 'merge', body: { data: { a: 'b' } } });
    await settle();
    assert.equal(seen.length, 2);
    await started[Symbol.asyncDispose]();
  });

  it('are never called twice at once for one key, and once more when it changed meanwhile', async () => {
    let active = 0;
    let most = 0;
    let calls = 0;
    const release: (() => void)[] = [];
    const controller = recorder([], {
      async reconcile() {
        calls++;
        most = Math.max(most, ++active);
        await new Promise<void>((resolve) => release.push(resolve));
        active--;
        return {};
      },
    });
    const { client, started } = await running([controller]);
    await client.create(configMap, object('a'));
    await settle();
    for (const value of ['1', '2', '3']) {
      const key = { name: 'a', namespace: 'default' };
      await client.patch(configMap, key, { type: 'merge', body: { data: { value } } });
    }
    await settle();
    assert.equal(calls, 1);
    release.shift()?.();
    await settle();
    assert.equal(calls, 2);
    release.shift()?.();
    await settle();
    assert.deepEqual({ calls, most }, { calls: 2, most: 1 });
    await started[Symbol.asyncDispose]();
  });

  it('are called for objects of their kind when an object of a further kind changes', async () => {
    const seen: string[] = [];
    const map = watchSource(secret, (changed) => [{ name: `of-${changed.metadata.name}`, namespace: 'default' }]);
    const { client, started } = await running([recorder(seen, { watches: [map] })]);
    await client.create(secret, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'default' },
    });
    await settle();
    assert.deepEqual(seen, ['default/of-s']);
    await started[Symbol.asyncDispose]();
  });

  it('see what changed while the watch was lost and its history gone', async () => {
    const seen: string[] = [];
    const client = createMemoryClient();
    await client.create(configMap, object('kept'));
    await client.create(configMap, object('lost'));
    const { clock, started } = await running([recorder(seen)], client);
    await settle();
    seen.length = 0;
    client.expireHistory();
    await client.create(configMap, object('new'));
    await client.delete(configMap, { name: 'lost', namespace: 'default' });
    client.expireHistory();
    await clock.advance(60_000);
    assert.deepEqual(seen.sort(), ['default/lost', 'default/new']);
    await started[Symbol.asyncDispose]();
  });

  it('are refused when two write the same output', () => {
    const first = recorder([], { name: 'first', writes: ['Server.status.power'] });
    const second = recorder([], { name: 'second', writes: ['Server.status.power'] });
    const clock = createFakeClock();
    const deps = { client: createMemoryClient(), clock, log: silentLog, random: Math.random, events: { record() {} } };
    assert.throws(
      () => startControllers({ ...deps, controllers: [first, second] }, new AbortController().signal),
      (error) => isBloomeryError(error, 'BLM_CONTROLLER_DUPLICATE_WRITER') && /first/.test(error.message),
    );
    const whole = recorder([], { name: 'whole', writes: ['Server.status'] });
    assert.throws(() => checkWriters([first, whole]), /Server\.status is already written by controller first/);
    assert.throws(() => checkWriters([whole, first]), /Server\.status\.power is already written by controller whole/);
    checkWriters([first, recorder([], { name: 'third', writes: ['Server.status.powerIntent'] })]);
  });

  it('start although a kind that they read is not installed, and see its objects once it is', async () => {
    const seen: string[] = [];
    const inner = createMemoryClient();
    let isServed = false;
    const client: MemoryClient = {
      ...inner,
      async list(kind, options) {
        if (kind.kind === 'Secret' && !isServed)
          throw new BloomeryError('BLM_API_NOT_FOUND', 'the server could not find the requested resource');
        return inner.list(kind, options);
      },
    };
    await inner.create(configMap, object('a'));
    const { clock, started } = await running(
      [recorder(seen, { watches: [watchSource(secret, () => [{ name: 'late', namespace: 'default' }])] })],
      client,
    );
    await settle();
    assert.deepEqual(seen, ['default/a']);
    await inner.create(secret, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'default' } });
    isServed = true;
    await clock.advance(1000);
    await settle();
    assert.deepEqual(seen, ['default/a', 'default/late']);
    await started[Symbol.asyncDispose]();
  });
});
