import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Clock, createFakeClock, silentLog } from '@bloomery/ports';
import { putThing, removeThing, shown, storeConformance, thing } from '../testing/store-conformance.ts';
import { openStore, type StoreOptions } from './open-store.ts';
import type { Change, Store } from './store.ts';

const random = (length: number): Uint8Array => randomBytes(length);

storeConformance('the store on disk', () => {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-store-'));
  return {
    open: (limits, clock) => openStore({ dir, clock, log: silentLog, random, ...limits }),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
});

describe('the store on disk', () => {
  let dir: string;
  let store: Store;
  const open = (options: Partial<StoreOptions> = {}): Store =>
    openStore({ dir, clock: createFakeClock(), log: silentLog, random, ...options });
  const bytesOnDisk = (): number => readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'bloomery-store-'));
    store = open();
  });
  afterEach(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('commits the writes of a turn together and publishes them in order', async () => {
    const batches: (readonly Change[])[] = [];
    store.subscribe((changes) => batches.push(changes));
    await Promise.all(['a', 'b', 'c'].map((name) => putThing(store, thing(name), name)));
    assert.deepEqual(
      batches.map((b) => b.map((c) => c.id.name)),
      [['a', 'b', 'c']],
    );
  });

  it('commits very many writes of a turn in parts, so that others get in between', async () => {
    const batches: number[] = [];
    store.subscribe((changes) => batches.push(changes.length));
    await Promise.all(Array.from({ length: 1300 }, (_, i) => putThing(store, thing(`o${i}`), '')));
    assert.deepEqual(batches, [500, 500, 300]);
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

  it('writes no Secret in the clear, also not into its history, and all files for its owner only', async () => {
    await putThing(store, thing('a', 'secrets'), 'correct-horse-battery');
    await putThing(store, thing('a', 'secrets'), 'correct-horse-staple');
    await putThing(store, thing('gone', 'secrets'), 'correct-horse-gone');
    await removeThing(store, thing('gone', 'secrets'));
    await putThing(store, thing('b'), 'no-secret-at-all');
    const files = readdirSync(dir);
    assert.deepEqual(files.sort(), ['store.db', 'store.db-wal', 'store.key', 'store.mark']);
    const texts = files.map((name) => readFileSync(join(dir, name), 'latin1')).join('');
    assert.ok(!texts.includes('correct-horse'));
    assert.ok(texts.includes('no-secret-at-all'));
    assert.deepEqual(
      files.filter((name) => (statSync(join(dir, name)).mode & 0o077) !== 0),
      [],
    );
    await store.close();
    store = open();
    assert.equal(store.get(thing('a', 'secrets'))?.['data'], 'correct-horse-staple');
    assert.deepEqual(
      store.changesSince(1).map((c) => c.object['data']),
      ['correct-horse-battery', 'correct-horse-staple', 'correct-horse-gone', 'correct-horse-gone', 'no-secret-at-all'],
    );
  });

  it('refuses to start while a restore did not end', async () => {
    await store.close();
    writeFileSync(join(dir, 'restore.unfinished'), '');
    assert.throws(() => open(), {
      code: 'BLM_RESTORE_UNFINISHED',
      message: /run `bloomery restore FILE --force` again/,
    });
  });

  it('stays within three times what lives, however often that is written', async () => {
    await store.close();
    store = open({ keepRevisions: 1000, keepBytes: 0 });
    const text = 'x'.repeat(1800);
    for (let round = 0; round < 200; round++) {
      const names = Array.from({ length: 100 }, (_, i) => `o${(round * 7919 + i * 31) % 1000}`);
      await Promise.all(
        names.map((name) => putThing(store, thing(name, round % 4 === 0 ? 'secrets' : 'things'), text)),
      );
    }
    const live = ['things', 'secrets']
      .flatMap((r) => store.list(r))
      .reduce((sum, o) => sum + JSON.stringify(o).length, 0);
    const ratio = bytesOnDisk() / live;
    assert.ok(ratio <= 3, `${ratio} times what lives`);
    await store.close();
    store = open();
    assert.equal(store.list('things').length, 1000);
  });

  it('gives the disk back what was deleted, little by little', async () => {
    await store.close();
    const clock = createFakeClock();
    store = open({ clock, keepRevisions: 10, keepMs: 0 });
    const text = 'x'.repeat(1800);
    const all = Array.from({ length: 3000 }, (_, i) => thing(`o${i}`));
    await Promise.all(all.map((id) => putThing(store, id, text)));
    await Promise.all(all.map((id) => removeThing(store, id)));
    await clock.advance(60_000);
    await putThing(store, thing('last'), '');
    await store.close();
    const { size } = statSync(join(dir, 'store.db'));
    assert.ok(size < 2 * 1024 * 1024, `${size} bytes`);
    store = open();
  });

  it('does not heed a clock that jumps: history is kept for its time, and no revision comes again', async () => {
    await store.close();
    const beats = createFakeClock();
    let wallMs = Date.parse('2026-01-01T00:00:00Z');
    const clock: Clock = { nowMs: () => wallMs, after: beats.after, sleep: beats.sleep };
    const limits = { clock, keepRevisions: 10, keepMs: 300_000 };
    store = open(limits);
    const jumps = [10 * 365 * 86_400_000, -20 * 365 * 86_400_000, 0, -wallMs, 1e15];
    for (const jump of jumps) {
      wallMs += jump;
      for (let i = 0; i < 100; i++) await putThing(store, thing('a'), String(i));
      await beats.advance(10_000);
      await store.close();
      store = open(limits);
    }
    assert.deepEqual([store.compactRevision, store.revision], [1, 1 + 100 * jumps.length]);
    await beats.advance(302_000);
    assert.equal(store.compactRevision, store.revision - 10);
  });

  it('takes over the objects of the first format, and begins their history anew', async () => {
    await store.close();
    const key = readFileSync(join(dir, 'store.key'));
    rmSync(dir, { recursive: true });
    mkdirSync(dir);
    writeFileSync(join(dir, 'store.key'), key);
    const db = new DatabaseSync(join(dir, 'store.db'));
    db.exec(`CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT;
      CREATE TABLE log (rev INTEGER PRIMARY KEY, prev INTEGER NOT NULL, at INTEGER NOT NULL, gone INTEGER NOT NULL,
        resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, body ANY NOT NULL) STRICT;
      CREATE TABLE objects (resource TEXT, namespace TEXT, name TEXT, rev INTEGER NOT NULL,
        PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID, STRICT;
      INSERT INTO meta VALUES ('revision', 40), ('compacted', 3);`);
    for (const rev of [38, 39, 40]) {
      const body = JSON.stringify({
        apiVersion: 'v1',
        kind: 'Thing',
        metadata: { name: 'a', namespace: 'n', resourceVersion: String(rev) },
        data: rev,
      });
      db.prepare("INSERT INTO log VALUES (?, 0, 0, 0, 'things', 'n', 'a', ?)").run(rev, body);
    }
    db.exec("INSERT INTO objects VALUES ('things', 'n', 'a', 40)");
    db.close();
    for (let start = 0; start < 2; start++) {
      store = open();
      assert.deepEqual([store.revision, store.compactRevision, shown(store.list('things'))], [40, 40, ['a=40']]);
      await store.close();
    }
    store = open();
    assert.equal((await putThing(store, thing('a'), 'new')).metadata.resourceVersion, '41');
  });
});
