import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type BloomeryError, isBloomeryError } from '@bloomery/ports';
import { withMeta } from '../../api-object.ts';
import { openTestStore, putText, testDirectory } from '../../testing/numbered-store.ts';
import type { Store } from '../store.ts';
import { readBackup } from './read-backup.ts';
import { REVISION_JUMP, type RestoredStore, type RestoreStoreOptions, restoreStore } from './restore-store.ts';
import { writeBackup } from './write-backup.ts';

const FILES = [
  { name: 'pki/ca.crt', content: Buffer.from('certificate') },
  { name: 'pki/ca.key', content: Buffer.from([0, 255, 128, 10]) },
];
const random = (length: number): Uint8Array => randomBytes(length);

function stream(store: Store) {
  return writeBackup({ store, files: FILES, version: '1.2.3', time: '2026-01-01T00:00:00Z' });
}

async function backupTo(file: string, store: Store): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream(store).bytes) pieces.push(piece);
  writeFileSync(file, Buffer.concat(pieces));
  return file;
}

async function filledStore(t: TestContext): Promise<Store> {
  const store = openTestStore(testDirectory(t));
  t.after(() => store.close());
  for (let i = 0; i < 30; i++) await putText(store, `o${i}`, `${i} ä€😀 ${'x'.repeat(i * 100)}`);
  await putText(store, 'hidden', 'correct-horse', 'secrets');
  await store.remove({ resource: 'things', namespace: 'n', name: 'o3' }, (resourceVersion) =>
    withMeta(store.get({ resource: 'things', namespace: 'n', name: 'o3' }) ?? assert.fail(), { resourceVersion }),
  );
  return store;
}

function restoreInto(dir: string, file: string, change?: RestoreStoreOptions['change']): Promise<RestoredStore> {
  return restoreStore({ backup: readBackup(file), dir, random, ...(change === undefined ? {} : { change }) });
}

function refusal(file: string): BloomeryError {
  try {
    readBackup(file);
  } catch (error) {
    if (isBloomeryError(error, 'BLM_BACKUP_INVALID')) return error;
    throw error;
  }
  assert.fail('the damaged backup was taken');
}

describe('a backup', () => {
  it('brings every object back as it was, under its resourceVersion, with a new key', async (t) => {
    const dir = testDirectory(t);
    const store = await filledStore(t);
    const file = await backupTo(join(dir, 'backup'), store);
    const made = await restoreInto(join(dir, 'data'), file);
    const restored = openTestStore(join(dir, 'data'));
    for (const resource of ['things', 'secrets']) assert.deepEqual(restored.list(resource), store.list(resource));
    assert.deepEqual(restored.resources().toSorted(), store.resources().toSorted());
    assert.deepEqual([made.objects, made.revision, made.changed], [30, store.revision + REVISION_JUMP, []]);
    assert.ok(!readFileSync(join(dir, 'data/store.db'), 'latin1').includes('correct-horse'));
    await restored.close();
  });

  it('gives no revision again that a client may have seen, and lets no old watch go on', async (t) => {
    const dir = testDirectory(t);
    const store = await filledStore(t);
    const file = await backupTo(join(dir, 'backup'), store);
    // What happens after the backup is lost with the store.
    for (let i = 0; i < 50; i++) await putText(store, 'later', String(i));
    await restoreInto(join(dir, 'data'), file);
    const restored = openTestStore(join(dir, 'data'));
    assert.equal(restored.compactRevision, restored.revision);
    assert.ok(restored.compactRevision > store.revision);
    const { metadata } = await putText(restored, 'later', 'again');
    assert.equal(Number(metadata.resourceVersion), restored.compactRevision + 1);
    assert.ok(/^\d{1,15}$/.test(metadata.resourceVersion ?? ''));
    await restored.close();
  });

  it('is of one moment, however much is written while it leaves', async (t) => {
    const dir = testDirectory(t);
    const store = openTestStore(testDirectory(t));
    for (let i = 0; i < 400; i++) void putText(store, `o${i}`, `old ${'x'.repeat(3000)}`);
    await store.settled();
    const { revision } = store;
    const { head, bytes } = stream(store);
    const pieces: Uint8Array[] = [];
    let acknowledged = 0;
    for await (const piece of bytes) {
      pieces.push(piece);
      await putText(store, `o${acknowledged}`, 'new');
      acknowledged += 1;
    }
    assert.ok(acknowledged > 5, 'writers came in between');
    const file = join(dir, 'backup');
    writeFileSync(file, Buffer.concat(pieces));
    assert.deepEqual([head.revision, head.objects], [revision, 400]);
    await restoreInto(join(dir, 'data'), file);
    const restored = openTestStore(join(dir, 'data'));
    assert.ok(restored.list('things').every((o) => String(o['text']).startsWith('old')));
    await Promise.all([restored.close(), store.close()]);
  });

  it('holds its files byte by byte', async (t) => {
    const file = await backupTo(join(testDirectory(t), 'backup'), await filledStore(t));
    const found = [...readBackup(file).content()].flatMap((line) => (line.kind === 'file' ? [line] : []));
    assert.deepEqual(
      found.map(({ name, content }) => ({ name, content: Buffer.from(content) })),
      FILES,
    );
  });

  it('may change objects on their way back, under revisions of their own', async (t) => {
    const dir = testDirectory(t);
    const store = await filledStore(t);
    const file = await backupTo(join(dir, 'backup'), store);
    const made = await restoreInto(join(dir, 'data'), file, (_, object) =>
      ['o1', 'o2'].includes(object.metadata.name) ? { ...object, text: 'held' } : undefined,
    );
    assert.deepEqual(
      made.changed.map((o) => [o['text'], Number(o.metadata.resourceVersion) - REVISION_JUMP - store.revision]),
      [
        ['held', 1],
        ['held', 2],
      ],
    );
    const restored = openTestStore(join(dir, 'data'));
    assert.equal(restored.revision, made.revision);
    assert.equal(restored.get({ resource: 'things', namespace: 'n', name: 'o1' })?.['text'], 'held');
    await restored.close();
  });

  it('is refused when it is damaged or cut off anywhere', async (t) => {
    const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));
    t.diagnostic(`seed ${seed}`);
    const dir = testDirectory(t);
    const whole = readFileSync(await backupTo(join(dir, 'backup'), await filledStore(t)));
    const file = join(dir, 'damaged');
    let state = seed;
    for (let round = 0; round < 300; round++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      const at = state % whole.length;
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (round % 8)), at);
      writeFileSync(file, bytes);
      refusal(file);
      // Without its last newline alone it is still whole.
      if (at < whole.length - 1) {
        writeFileSync(file, whole.subarray(0, at));
        refusal(file);
      }
    }
  });

  const wrong: [name: string, make: (lines: readonly string[]) => readonly string[], says: RegExp][] = [
    ['nothing at all', () => [], /it is empty/],
    ['another file', () => ['hello', ''], /line 1 is no JSON/],
    ['JSON that is no backup', () => ['{"kind":"List"}', ''], /line 1 is no line of a backup/],
    ['a line left out', (lines) => lines.toSpliced(4, 1), /it has 32 lines, and 33 were written/],
    [
      'lines that changed places',
      (lines) => lines.toSpliced(4, 1).toSpliced(5, 0, lines[4] ?? ''),
      /its checksum does not fit/,
    ],
    ['no end', (lines) => lines.slice(0, -2), /it is cut off after line 33/],
    ['something behind its end', (lines) => [...lines.slice(0, -1), '{}', ''], /something follows its end/],
    ['a beginning in its middle', (lines) => [lines[0] ?? '', ...lines], /it does not begin as a backup/],
    [
      'a newer format',
      (lines) => [(lines[0] ?? '').replace('"format":1', '"format":2'), ...lines.slice(1)],
      /it has format 2, written by version 1\.2\.3, and this version reads up to 1/,
    ],
  ];
  for (const [name, make, says] of wrong) {
    it(`is refused with the reason: ${name}`, async (t) => {
      const dir = testDirectory(t);
      const lines = readFileSync(await backupTo(join(dir, 'backup'), await filledStore(t)), 'utf8').split('\n');
      writeFileSync(join(dir, 'wrong'), make(lines).join('\n'));
      assert.match(refusal(join(dir, 'wrong')).message, says);
    });
  }

  it('that is not there is refused by its name', () => {
    assert.match(refusal('/no/such/file').message, /Reading the backup \/no\/such\/file: ENOENT/);
  });
});
