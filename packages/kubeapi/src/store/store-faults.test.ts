import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SQLInputValue, StatementSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { createFakeClock, isBloomeryError, type Logger } from '@bloomery/ports';
import { statusOf } from '../http/answers.ts';
import { openTestStore, putText, remount, smallDisk, testDirectory } from '../testing/numbered-store.ts';
import type { StoreOptions } from './open-store.ts';
import type { Store } from './store.ts';

const MIB = 1024 * 1024;

/** Options with a clock in the test's hands, and what was logged. */
function observed(): {
  readonly options: Partial<StoreOptions>;
  readonly clock: ReturnType<typeof createFakeClock>;
  readonly logged: string[];
} {
  const logged: string[] = [];
  const note =
    (level: string) =>
    (event: string): void =>
      void logged.push(`${level} ${event}`);
  const log: Logger = {
    debug: note('debug'),
    info: note('info'),
    warn: note('warn'),
    error: note('error'),
    with: () => log,
  };
  const clock = createFakeClock();
  return { options: { clock, log }, clock, logged };
}

/** Let SQLite fail as with a disk that fails, for statements that begin so. Returns the repair. */
function failStatement(start: string): () => void {
  const { prototype } = StatementSync;
  const { run, get } = prototype;
  function check(statement: StatementSync): void {
    if (statement.sourceSQL.startsWith(start)) throw Object.assign(new Error('disk I/O error'), { errcode: 778 });
  }
  Object.assign(prototype, {
    run(this: StatementSync, ...args: SQLInputValue[]) {
      check(this);
      return run.apply(this, args as Parameters<typeof run>);
    },
    get(this: StatementSync, ...args: SQLInputValue[]) {
      check(this);
      return get.apply(this, args as Parameters<typeof get>);
    },
  });
  return () => Object.assign(prototype, { run, get });
}

async function putUntilRefused(
  store: Store,
): Promise<{ readonly acknowledged: readonly string[]; readonly refused: unknown }> {
  const acknowledged: string[] = [];
  for (let i = 0; i < 60; i++) {
    try {
      await putText(store, `o${i}`, 'x'.repeat(40_000));
      acknowledged.push(`o${i}`);
    } catch (refused) {
      return { acknowledged, refused };
    }
  }
  assert.fail('the disk never got full');
}

describe('a store on a full disk', () => {
  it('refuses writes, loses nothing that it acknowledged, and goes on when there is room', async (t) => {
    const dir = smallDisk(t);
    if (dir === undefined) return;
    const filler = join(dir, 'filler');
    const { options, logged } = observed();
    let store = openTestStore(dir, options);
    await putText(store, 'kept', 'before');
    writeFileSync(filler, Buffer.alloc(3 * MIB));
    const { acknowledged, refused } = await putUntilRefused(store);
    assert.ok(isBloomeryError(refused, 'BLM_STORE_WRITE_FAILED') && refused.retryable, String(refused));
    assert.match(
      refused.message,
      /^Writing to .*store\.db: .*; the disk is full(: free space on it| or failing).*Nothing was changed; writes go on/,
    );
    const status = statusOf(refused);
    assert.deepEqual(
      [status['code'], status['reason'], status['message']],
      [503, 'ServiceUnavailable', refused.message],
    );
    assert.deepEqual(store.health().ok, false);
    assert.deepEqual(logged, ['error store.commit-failed']);

    const { revision } = store;
    const failed = { resource: 'things', namespace: 'n', name: `o${acknowledged.length}` };
    assert.equal(store.head(failed), undefined);
    // A second writer of the turn built on what the first one staged: both are refused.
    const both = [putText(store, 'kept', 'x'.repeat(MIB)), putText(store, 'kept', `${'x'.repeat(MIB)}y`)];
    assert.deepEqual(
      (await Promise.allSettled(both)).map((r) => r.status),
      ['rejected', 'rejected'],
    );
    assert.equal(store.head({ ...failed, name: 'kept' })?.['text'], 'before');
    assert.equal(store.revision, revision);
    assert.deepEqual(store.changesSince(revision), []);
    assert.equal(store.list('things').length, acknowledged.length + 1, 'reads go on');
    assert.deepEqual(logged, ['error store.commit-failed'], 'said once');

    rmSync(filler);
    const after = await putText(store, 'kept', 'after');
    assert.ok(Number(after.metadata.resourceVersion) > revision);
    assert.deepEqual(
      store.changesSince(revision).map((c) => [c.object, c.before?.['text']]),
      [[after, 'before']],
    );
    assert.deepEqual(store.health(), { ok: true });
    assert.deepEqual(logged, ['error store.commit-failed', 'info store.recovered']);
    await store.close();
    store = openTestStore(dir);
    assert.deepEqual(
      store.list('things').map((o) => o.metadata.name),
      ['kept', ...acknowledged].sort(),
    );
    assert.equal(store.get({ ...failed, name: 'kept' })?.['text'], 'after');
    await store.close();
  });

  it('notices by itself that there is room again', async (t) => {
    const dir = smallDisk(t);
    if (dir === undefined) return;
    const filler = join(dir, 'filler');
    const { options, clock } = observed();
    const store = openTestStore(dir, options);
    writeFileSync(filler, Buffer.alloc(3 * MIB));
    await putUntilRefused(store);
    await clock.advance(20_000);
    rmSync(filler);
    await clock.advance(5000);
    assert.deepEqual(store.health(), { ok: true });
    await store.close();
  });

  it('says so when it cannot even start', (t) => {
    const dir = smallDisk(t);
    if (dir === undefined) return;
    writeFileSync(join(dir, 'filler'), Buffer.alloc(4 * MIB - 4096));
    assert.throws(() => openTestStore(join(dir, 'data')), {
      code: 'BLM_STORE_WRITE_FAILED',
      message: /: .*; the .*(full|written)/,
    });
  });
});

describe('a store on a file system that became read-only', () => {
  it('is refused with the remedy, and opens again when it can be written', async (t) => {
    const dir = smallDisk(t);
    if (dir === undefined) return;
    const store = openTestStore(dir);
    await putText(store, 'a', 'before');
    // Linux lets nobody do this while the database is open.
    await store.close();
    remount(dir, 'ro');
    assert.throws(() => openTestStore(dir), {
      code: 'BLM_STORE_WRITE_FAILED',
      message: /store\.db: .*; the file or its file system cannot be written: make it writable/,
    });
    remount(dir, 'rw');
    const again = openTestStore(dir);
    assert.equal((await putText(again, 'a', 'after'))['text'], 'after');
    await again.close();
  });

  it('refuses a file that this user may not write', (t) => {
    if (process.getuid?.() === 0) return t.skip('root may write every file');
    const dir = testDirectory(t);
    void openTestStore(dir).close();
    chmodSync(join(dir, 'store.db'), 0o400);
    assert.throws(() => openTestStore(dir), { code: 'BLM_STORE_WRITE_FAILED', message: /cannot be written/ });
  });
});

describe('a store whose commits fail at any point', () => {
  for (const failing of ['INSERT', 'UPDATE state', 'COMMIT']) {
    it(`keeps memory and disk together when ${failing} fails`, async (t) => {
      const dir = testDirectory(t);
      const store = openTestStore(dir, { random: (n) => randomBytes(n) });
      await putText(store, 'a', 'before', 'secrets');
      const { revision } = store;
      const restore = failStatement(failing);
      t.after(restore);
      const writes = [putText(store, 'a', 'after', 'secrets'), putText(store, 'b', 'new')];
      const results = await Promise.allSettled(writes);
      assert.deepEqual(
        results.map((r) => r.status),
        ['rejected', 'rejected'],
      );
      assert.equal(store.health().ok, false);
      assert.deepEqual([store.revision, store.list('things').length], [revision, 0]);
      restore();
      const { metadata } = await putText(store, 'b', 'again');
      assert.ok(Number(metadata.resourceVersion) > revision + 2, 'revisions of failed writes are not given again');
      await store.close();
      const again = openTestStore(dir);
      assert.deepEqual(
        again.list('secrets').map((o) => o['text']),
        ['before'],
      );
      assert.deepEqual(
        again.changesSince(revision).map((c) => c.object['text']),
        ['again'],
      );
      await again.close();
    });
  }
});
