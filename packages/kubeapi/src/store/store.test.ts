import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { type ApiObject, asApiObject } from '../api-object.ts';
import { openStore, type StoreOptions } from './open-store.ts';
import type { Change, ObjectId, Store } from './store.ts';

const random = (length: number): Uint8Array => randomBytes(length);
const clock = createFakeClock(Date.parse('2026-01-01T00:00:00Z'));

function idOf(name: string, resource = 'things'): ObjectId {
  return { resource, namespace: 'n', name };
}

function put(store: Store, id: ObjectId, data: string): Promise<ApiObject> {
  return store.put(id, (resourceVersion) =>
    asApiObject({
      apiVersion: 'v1',
      kind: 'Thing',
      metadata: { name: id.name, namespace: id.namespace, resourceVersion },
      data,
    }),
  );
}

async function remove(store: Store, id: ObjectId): Promise<ApiObject> {
  const present = store.head(id);
  assert.ok(present);
  return store.remove(id, (resourceVersion) =>
    asApiObject({ ...present, metadata: { ...present.metadata, resourceVersion } }),
  );
}

const dataOf = (objects: readonly ApiObject[]): string[] =>
  objects.map((o) => `${o.metadata.name}=${String(o['data'])}`);

describe('the store', () => {
  let dir: string;
  let store: Store;
  const open = (options: Partial<StoreOptions> = {}): Store =>
    openStore({ dir, clock, log: silentLog, random, ...options });
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'bloomery-store-'));
    store = open();
  });
  afterEach(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('keeps what it acknowledged over a restart, with its revision', async () => {
    await put(store, idOf('a'), '1');
    await put(store, idOf('b'), '2');
    await remove(store, idOf('a'));
    const { revision } = store;
    await store.close();
    store = open();
    assert.deepEqual(dataOf(store.list('things')), ['b=2']);
    assert.equal(store.revision, revision);
    assert.ok(Number((await put(store, idOf('c'), '3')).metadata.resourceVersion) > revision);
  });

  it('never gives a revision twice, not even that of the last deletion', async () => {
    await put(store, idOf('a'), '1');
    const last = Number((await remove(store, idOf('a'))).metadata.resourceVersion);
    await store.close();
    store = open();
    assert.ok(Number((await put(store, idOf('a'), '2')).metadata.resourceVersion) > last);
  });

  it('shows a write to later writers of the turn, and to readers after its commit', async () => {
    const written = put(store, idOf('a'), '1');
    assert.equal(store.head(idOf('a'))?.['data'], '1');
    assert.equal(store.get(idOf('a')), undefined);
    await written;
    assert.equal(store.get(idOf('a'))?.['data'], '1');
  });

  it('commits the writes of a turn together and publishes them in order', async () => {
    const batches: (readonly Change[])[] = [];
    store.subscribe((changes) => batches.push(changes));
    await Promise.all(['a', 'b', 'c'].map((name) => put(store, idOf(name), name)));
    assert.deepEqual(
      batches.map((b) => b.map((c) => c.id.name)),
      [['a', 'b', 'c']],
    );
  });

  it('goes on when a listener throws', async () => {
    store.subscribe(() => {
      throw new Error('a listener with a fault');
    });
    assert.equal((await put(store, idOf('a'), '1'))['data'], '1');
  });

  it('refuses a second process, and says what to do', () => {
    assert.throws(() => open(), { code: 'BLM_STORE_LOCKED', message: /another process has it open; .*--data/ });
    const script = `
      import { openStore } from ${JSON.stringify(join(import.meta.dirname, 'open-store.ts'))};
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      try { openStore({ dir: process.argv[1], log, random: () => new Uint8Array(32) }); }
      catch (error) { console.log(error.code); }`;
    const other = spawnSync(process.execPath, ['--input-type=module', '-e', script, dir], { encoding: 'utf8' });
    assert.equal(other.stdout.trim(), 'BLM_STORE_LOCKED', other.stderr);
  });

  it('writes no Secret in the clear, and all files for its owner only', async () => {
    await put(store, idOf('a', 'secrets'), 'correct-horse-battery');
    await put(store, idOf('b'), 'no-secret-at-all');
    const files = readdirSync(dir);
    const texts = files.map((name) => readFileSync(join(dir, name), 'latin1')).join('');
    assert.ok(!texts.includes('correct-horse-battery'));
    assert.ok(texts.includes('no-secret-at-all'));
    assert.deepEqual(
      files.filter((name) => (statSync(join(dir, name)).mode & 0o077) !== 0),
      [],
    );
    await store.close();
    store = open();
    assert.equal(store.get(idOf('a', 'secrets'))?.['data'], 'correct-horse-battery');
  });

  const damages: [name: string, damage: () => void][] = [
    ['a file that is no database', () => writeFileSync(join(dir, 'store.db'), 'x'.repeat(8192))],
    ['pages full of zeros', () => writeFileSync(join(dir, 'store.db'), zeroed(readFileSync(join(dir, 'store.db'))))],
    ['a key that is no key', () => writeFileSync(join(dir, 'store.key'), 'abc')],
    ['another key', () => writeFileSync(join(dir, 'store.key'), 'ab'.repeat(32))],
    ['a missing key', () => rmSync(join(dir, 'store.key'))],
  ];
  for (const [name, damage] of damages) {
    it(`refuses ${name} as damaged`, async () => {
      await Promise.all(Array.from({ length: 50 }, (_, i) => put(store, idOf(`s${i}`, 'secrets'), 'x'.repeat(500))));
      await store.close();
      damage();
      assert.throws(() => open(), { code: 'BLM_STORE_CORRUPT' });
      // Nothing was put in the place of what is missing.
      assert.equal(readdirSync(dir).includes('store.key'), name !== 'a missing key');
    });
  }

  it('reads the past from the compaction border on, and keeps the files bounded', async () => {
    await store.close();
    store = open({ keepRevisions: 100, keepMs: 0 });
    const past = new Map<number, string[]>();
    const sizes: number[] = [];
    for (let round = 0; round < 60; round++) {
      await Promise.all(
        Array.from({ length: 40 }, (_, i) => put(store, idOf(`o${i % 20}`), `${round}.${'x'.repeat(900)}`)),
      );
      if (round % 5 === 0) await remove(store, idOf('o3'));
      past.set(store.revision, dataOf(store.list('things')));
      sizes.push(readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0));
    }
    const border = store.compactRevision;
    assert.ok(store.revision - border >= 100 && store.revision - border <= 700, `${border} of ${store.revision}`);
    const kept = [...past].filter(([rev]) => rev >= border);
    assert.ok(kept.length > 1);
    for (const reopened of [false, true]) {
      if (reopened) {
        await store.close();
        store = open({ keepRevisions: 100, keepMs: 0 });
      }
      for (const [rev, objects] of kept) assert.deepEqual(dataOf(store.listAt('things', rev)), objects);
      const changes = store.changesSince(border);
      assert.deepEqual(
        changes.map((c) => c.rev),
        Array.from({ length: store.revision - border }, (_, i) => border + 1 + i),
      );
      assert.equal(store.compactRevision, border);
    }
    const [early = 0, late = 0] = [sizes[29], sizes[59]];
    assert.ok(late <= early * 1.5, `the files grow: ${sizes.join(' ')}`);
  });

  it('keeps history for its time, however much it is', async () => {
    await store.close();
    store = open({ keepRevisions: 10, keepMs: 60_000 });
    for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 20 }, () => put(store, idOf('a'), String(i))));
    assert.equal(store.compactRevision, 1);
    await clock.advance(61_000);
    await put(store, idOf('a'), 'end');
    assert.ok(store.compactRevision > 300);
  });

  it('links every change to the state before it, also when that is only in the log', async () => {
    await put(store, idOf('a'), '0');
    const from = store.revision;
    for (let i = 1; i <= 2100; i++) void put(store, idOf('a'), String(i));
    await store.settled();
    const changes = store.changesSince(from);
    assert.equal(changes.length, 2100);
    assert.deepEqual(
      changes.filter((c, i) => c.before?.['data'] !== String(i)),
      [],
    );
  });
});

function zeroed(bytes: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096)]);
}
