import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { isBloomeryError, silentLog, systemClock } from '@bloomery/ports';
import { type ApiObject, asApiObject } from '../api-object.ts';
import { openStore } from './open-store.ts';
import type { Store } from './store.ts';

const ROUNDS = 6;
const random = (length: number): Uint8Array => randomBytes(length);
const open = (dir: string): Store => openStore({ dir, clock: systemClock, log: silentLog, random });

interface Acknowledged {
  readonly revision: number;
  /** By pair. */
  readonly numbers: ReadonlyMap<string, number>;
}

/** Let a process write, kill it after `delayMs` of acknowledged writes; what it said was acknowledged. */
async function writeAndKill(dir: string, first: number, delayMs: number): Promise<Acknowledged> {
  const writer = join(import.meta.dirname, '../testing/store-writer.ts');
  const child = spawn(process.execPath, [writer, dir, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  const exited = new Promise((resolve) => child.once('close', resolve));
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      resolve();
    });
    child.once('close', () => resolve());
  });
  await delay(delayMs);
  child.kill('SIGKILL');
  await exited;
  const numbers = new Map<string, number>();
  let revision = 0;
  for (const line of text.split('\n').slice(0, -1)) {
    const [pair = '', number = '', rev = ''] = line.split(' ');
    numbers.set(pair, Number(number));
    revision = Math.max(revision, Number(rev));
  }
  return { revision, numbers };
}

describe('a killed store', () => {
  it('has every acknowledged write after kill -9, no half turn, and never an old revision', async (t) => {
    const seed = randomInt(2 ** 31);
    t.diagnostic(`seed ${seed}`);
    const dir = mkdtempSync(join(tmpdir(), 'bloomery-crash-'));
    let last = 0;
    let next = 1;
    for (let round = 0; round < ROUNDS; round++) {
      const { revision, numbers } = await writeAndKill(dir, next, ((seed >>> round) * 7919) % 200);
      assert.ok(numbers.size > 0, 'the writer was acknowledged something');
      const store = open(dir);
      assert.ok(store.revision >= revision && store.revision >= last, `${store.revision} after ${revision}, ${last}`);
      const left = new Map(store.list('left', 'n').map((o) => [o.metadata.name, Number(o['number'])]));
      const right = new Map(store.list('secrets', 'n').map((o) => [o.metadata.name, Number(o['number'])]));
      assert.deepEqual(left, right, 'the two writes of a turn are both there or both not');
      for (const [pair, number] of numbers)
        assert.ok((left.get(`p${pair}`) ?? 0) >= number, `pair ${pair} of ${number}`);
      last = store.revision;
      next = Math.max(...left.values()) + 1;
      await store.close();
    }
    rmSync(dir, { recursive: true, force: true });
  });
});

function put(store: Store, name: string, data: string): Promise<ApiObject> {
  return store.put({ resource: 'things', namespace: '', name }, (resourceVersion) =>
    asApiObject({ apiVersion: 'v1', kind: 'Thing', metadata: { name, resourceVersion }, data }),
  );
}

/** A directory on a file system of 4 MiB, or undefined with the test skipped. */
function smallDisk(t: TestContext): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'bloomery-test', dir], { encoding: 'utf8' });
  t.after(() => {
    if (mounted.status === 0) spawnSync('umount', [dir]);
    rmSync(dir, { recursive: true, force: true });
  });
  if (mounted.status === 0) return dir;
  t.skip(`a small file system cannot be mounted here: ${mounted.stderr.trim()}`);
  return undefined;
}

describe('a store on a full disk', () => {
  it('refuses writes, loses nothing that it acknowledged, and goes on when there is room', async (t) => {
    const dir = smallDisk(t);
    if (dir === undefined) return;
    const filler = join(dir, 'filler');
    let store = open(dir);
    await put(store, 'kept', 'before');
    writeFileSync(filler, Buffer.alloc(3 * 1024 * 1024));
    const acknowledged: string[] = [];
    let refused: unknown;
    for (let i = 0; i < 60 && refused === undefined; i++) {
      try {
        await put(store, `o${i}`, 'x'.repeat(40_000));
        acknowledged.push(`o${i}`);
      } catch (error) {
        refused = error;
      }
    }
    assert.ok(isBloomeryError(refused, 'BLM_STORE_WRITE_FAILED') && refused.retryable, String(refused));
    const failed = `o${acknowledged.length}`;
    const { revision } = store;
    assert.equal(store.head({ resource: 'things', namespace: '', name: failed }), undefined);

    // A second writer of the turn built on what the first one staged: both are refused.
    const first = put(store, 'kept', 'x'.repeat(1_000_000));
    const second = put(store, 'kept', `${'x'.repeat(1_000_000)}y`);
    assert.deepEqual(
      (await Promise.allSettled([first, second])).map((r) => r.status),
      ['rejected', 'rejected'],
    );
    assert.equal(store.head({ resource: 'things', namespace: '', name: 'kept' })?.['data'], 'before');
    assert.equal(store.revision, revision);
    assert.deepEqual(store.changesSince(revision), []);

    rmSync(filler);
    const after = await put(store, 'kept', 'after');
    assert.ok(Number(after.metadata.resourceVersion) > revision);
    assert.deepEqual(
      store.changesSince(revision).map((c) => [c.object, c.before?.['data']]),
      [[after, 'before']],
    );
    await store.close();
    store = open(dir);
    assert.deepEqual(
      store.list('things').map((o) => o.metadata.name),
      ['kept', ...acknowledged].sort(),
    );
    assert.equal(store.get({ resource: 'things', namespace: '', name: 'kept' })?.['data'], 'after');
    await store.close();
  });
});
