import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { exitCodeOf } from '../exit-code.ts';
import { createFakeSession, type FakeSession } from '../testing/fake-session.ts';
import { backup } from './backup.ts';

const HEAD = {
  kind: 'BloomeryBackup',
  format: 1,
  version: '1',
  time: '2026-01-01T00:00:00Z',
  revision: 7,
  objects: 1,
  files: 0,
};
const OBJECT = { resource: 'things', object: { metadata: { name: 'ä', resourceVersion: '7' } } };

function wholeBackup(): readonly string[] {
  const lines = [JSON.stringify(HEAD), JSON.stringify(OBJECT)];
  const sha256 = createHash('sha256')
    .update(`${lines.join('\n')}\n`)
    .digest('hex');
  return [...lines, JSON.stringify({ kind: 'BloomeryBackupEnd', lines: 2, sha256 })];
}

/** A session whose manager sends these lines. */
function sending(lines: readonly string[]): FakeSession {
  const session = createFakeSession([]);
  const transport = {
    ...session.client.transport,
    async *lines() {
      yield* lines;
    },
  };
  return { ...session, client: { ...session.client, transport } };
}

describe('bloomery backup', () => {
  let dir: string;
  let file: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'bloomery-cli-backup-'));
    file = join(dir, 'plane.backup');
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('writes what the manager sends, private to its owner, and says what it is', async () => {
    const session = sending(wholeBackup());
    await backup(session, file, {});
    assert.equal(readFileSync(file, 'utf8'), `${wholeBackup().join('\n')}\n`);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(dir), ['plane.backup']);
    assert.equal(
      session.out(),
      `${file}: 1 objects and 0 files as of 2026-01-01T00:00:00Z, revision 7, 0.0 MB in 0.0 s\n`,
    );
    assert.match(session.err(), /It holds every Secret/);
  });

  it('says it as JSON', async () => {
    const session = sending(wholeBackup());
    await backup(session, file, { json: true });
    const { bytes, ...said } = JSON.parse(session.out());
    assert.deepEqual(said, { file, revision: 7, objects: 1, files: 0, time: '2026-01-01T00:00:00Z' });
    assert.equal(bytes, statSync(file).size);
  });

  it('replaces no file unless it is told to', async () => {
    writeFileSync(file, 'old');
    await assert.rejects(backup(sending(wholeBackup()), file, {}), (error) => exitCodeOf(error) === 4);
    assert.equal(readFileSync(file, 'utf8'), 'old');
    await backup(sending(wholeBackup()), file, { force: true });
    assert.match(readFileSync(file, 'utf8'), /BloomeryBackupEnd/);
  });

  for (const [name, lines] of [
    ['is cut off', wholeBackup().slice(0, -1)],
    ['is damaged', wholeBackup().map((line) => line.replace('ä', 'a'))],
    ['is no backup', ['{}']],
    ['is empty', []],
  ] as const) {
    it(`leaves the old file alone when what comes ${name}`, async () => {
      writeFileSync(file, 'old');
      await assert.rejects(backup(sending(lines), file, { force: true }), { code: 'BLM_BACKUP_INVALID' });
      assert.deepEqual([readFileSync(file, 'utf8'), existsSync(`${file}.partial`)], ['old', false]);
    });
  }
});
