import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it, type TestContext } from 'node:test';
import { testDirectory } from '../testing/numbered-store.ts';
import { inspectWal } from './wal-check.ts';

const FRAME = 24 + 4096;

/** The write-ahead log of a database with some commits, copied while it is open. */
function someWal(t: TestContext, commits = 10): string {
  const dir = testDirectory(t);
  const db = new DatabaseSync(join(dir, 'a.db'));
  db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x)');
  for (let i = 0; i < commits; i++) db.exec('INSERT INTO t VALUES (randomblob(3000))');
  const copy = join(dir, 'copy-wal');
  writeFileSync(copy, readFileSync(join(dir, 'a.db-wal')));
  const frames = db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()?.['log'];
  db.close();
  assert.equal(inspectWal(copy).validFrames, frames, 'as many frames as SQLite has');
  return copy;
}

function damage(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at);
  writeFileSync(file, bytes);
}

describe('the check of a write-ahead log', () => {
  it('finds every frame of a whole one right', (t) => {
    const { validFrames, ...rest } = inspectWal(someWal(t));
    assert.ok(validFrames > 10);
    assert.deepEqual(rest, { isHeaderBad: false, orphans: 0, orphanCommits: 0 });
  });

  it('ends at the first damaged byte, and counts what can no longer be read behind it', (t) => {
    const file = someWal(t);
    const { validFrames } = inspectWal(file);
    damage(file, 32 + 3 * FRAME + 1000);
    const report = inspectWal(file);
    assert.deepEqual([report.validFrames, report.orphans], [3, validFrames - 3]);
    assert.ok(report.orphanCommits >= 2);
  });

  it('takes a damage in the last commit for an end that was not finished', (t) => {
    const file = someWal(t);
    const { validFrames } = inspectWal(file);
    damage(file, 32 + (validFrames - 1) * FRAME + 1000);
    const report = inspectWal(file);
    assert.deepEqual([report.validFrames, report.orphanCommits], [validFrames - 1, 1]);
  });

  it('knows a damaged header, and a file that is none', (t) => {
    const file = someWal(t);
    damage(file, 9);
    assert.equal(inspectWal(file).isHeaderBad, true);
    writeFileSync(file, 'x'.repeat(100));
    assert.equal(inspectWal(file).isHeaderBad, true);
  });

  it('finds nothing in an empty or cut-off file', (t) => {
    const file = someWal(t);
    const bytes = readFileSync(file);
    for (const length of [0, 10, 31, 32, 32 + FRAME - 1]) {
      writeFileSync(file, bytes.subarray(0, length));
      assert.deepEqual(
        inspectWal(file),
        { isHeaderBad: false, validFrames: 0, orphans: 0, orphanCommits: 0 },
        `${length}`,
      );
    }
    writeFileSync(file, bytes.subarray(0, 32 + FRAME));
    assert.equal(inspectWal(file).validFrames, 1);
  });
});
