import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it, type TestContext } from 'node:test';
import { type BloomeryError, isBloomeryError } from '@bloomery/ports';
import { killedCopy, openTestStore, putText, testDirectory } from '../testing/numbered-store.ts';

const OBJECTS = 60;

/** The files of a store that was killed: 60 objects, each written twice, a part of them only in the write-ahead log. */
async function killedStore(t: TestContext): Promise<string> {
  const dir = testDirectory(t);
  const store = openTestStore(dir);
  for (const round of ['first', 'second'])
    for (let i = 0; i < OBJECTS; i++)
      await putText(store, `o${i}`, `${round} ${'x'.repeat(1500)}`, i % 2 === 0 ? 'things' : 'secrets');
  const copy = killedCopy(t, dir);
  await store.close();
  return copy;
}

/** The same after an orderly stop: everything is in store.db. */
async function closedStore(t: TestContext): Promise<string> {
  const dir = await killedStore(t);
  await openTestStore(dir).close();
  return dir;
}

function refusal(dir: string): BloomeryError {
  try {
    void openTestStore(dir).close();
  } catch (error) {
    if (isBloomeryError(error)) return error;
    throw error;
  }
  assert.fail('the damaged store was opened');
}

function flip(file: string, at: number, length: number): void {
  const bytes = readFileSync(file);
  for (let i = at; i < Math.min(at + length, bytes.length); i++) bytes[i] = (bytes[i] ?? 0) ^ 0xa5;
  writeFileSync(file, bytes);
}

const database = (dir: string): string => join(dir, 'store.db');
const log = (dir: string): string => join(dir, 'store.db-wal');

interface Damage {
  readonly name: string;
  readonly when: 'killed' | 'closed';
  readonly damage: (dir: string) => void;
  readonly code?: 'BLM_STORE_CORRUPT' | 'BLM_STORE_FORMAT';
  /** The file that the message names, and what it says of it. */
  readonly says: RegExp;
}

const DAMAGES: readonly Damage[] = [
  {
    name: 'an empty database beside its key',
    when: 'closed',
    damage: (dir) => truncateSync(database(dir), 0),
    says: /store\.db is empty, and .*store\.key is there/,
  },
  {
    name: 'a missing database beside its key',
    when: 'closed',
    damage: (dir) => rmSync(database(dir)),
    says: /store\.db is missing, and .*store\.key is there/,
  },
  {
    name: 'a database cut off in the middle',
    when: 'closed',
    damage: (dir) => truncateSync(database(dir), Math.trunc(statSync(database(dir)).size / 2)),
    says: /store\.db .*(is damaged|cannot be read)/,
  },
  {
    name: 'a database cut off within its last page',
    when: 'closed',
    damage: (dir) => truncateSync(database(dir), statSync(database(dir)).size - 100),
    says: /store\.db (is damaged|cannot be read|holds a damaged row)/,
  },
  {
    name: 'a last page full of zeros',
    when: 'closed',
    damage: (dir) => {
      const bytes = readFileSync(database(dir));
      writeFileSync(database(dir), bytes.fill(0, bytes.length - 4096));
    },
    says: /store\.db (is damaged|holds|lacks)/,
  },
  {
    name: 'one damaged letter in an object',
    when: 'closed',
    damage: (dir) => flip(database(dir), readFileSync(database(dir), 'latin1').lastIndexOf('second xxxx') + 200, 1),
    says: /store\.db holds a damaged row: the checksum of things\/n\/o\d+ at revision \d+ does not fit/,
  },
  {
    name: 'one damaged letter in the history',
    when: 'closed',
    damage: (dir) => flip(database(dir), readFileSync(database(dir), 'latin1').lastIndexOf('first xxxx') + 200, 1),
    says: /store\.db holds a damaged row: the checksum of things\/n\/o\d+ at revision \d+ does not fit/,
  },
  {
    name: 'a deleted write-ahead log',
    when: 'killed',
    damage: (dir) => rmSync(log(dir)),
    says: /store\.db-wal is missing or empty: the store ends at revision \d+, and 121 was acknowledged/,
  },
  {
    name: 'a deleted write-ahead log, also without the mark, when nothing was ever moved out of it',
    when: 'killed',
    damage: (dir) => {
      rmSync(log(dir));
      rmSync(join(dir, 'store.mark'));
    },
    says: /store\.db holds nothing, and .*store\.key is there/,
  },
  {
    name: 'a write-ahead log that is cut off',
    when: 'killed',
    damage: (dir) => truncateSync(log(dir), 32 + 2 * (24 + 4096)),
    says: /store\.db-wal is damaged behind frame \d+: the store ends at revision \d+, and 121 was acknowledged/,
  },
  {
    name: 'a damaged header of the write-ahead log',
    when: 'killed',
    damage: (dir) => flip(log(dir), 8, 8),
    says: /store\.db-wal is damaged in its header: /,
  },
  {
    name: 'an early damage in the write-ahead log, also without the mark',
    when: 'killed',
    damage: (dir) => {
      flip(log(dir), 32 + 24 + 100, 8);
      rmSync(join(dir, 'store.mark'));
    },
    says: /store\.db(-wal is damaged behind frame 0: commits follow| holds nothing, and .*store\.key is there)/,
  },
  {
    name: 'an older copy of the database',
    when: 'closed',
    damage: (dir) => {
      const old = readFileSync(database(dir));
      const db = new DatabaseSync(database(dir));
      db.exec('UPDATE state SET revision = 90');
      db.close();
      assert.notDeepEqual(readFileSync(database(dir)), old);
    },
    says: /store\.db-wal is missing or empty: the store ends at revision 90, and 121 was acknowledged/,
  },
  {
    name: 'a lost row',
    when: 'closed',
    damage: (dir) => {
      const db = new DatabaseSync(database(dir));
      db.exec("DELETE FROM objects WHERE key = 'things/n/o2'");
      db.close();
    },
    says: /store\.db holds 59 objects, and 60 were written/,
  },
  {
    name: 'rows that changed places',
    when: 'closed',
    damage: (dir) => {
      const db = new DatabaseSync(database(dir));
      db.exec(
        "UPDATE objects SET body = (SELECT body FROM objects WHERE key = 'things/n/o2') WHERE key = 'things/n/o4'",
      );
      db.close();
    },
    says: /store\.db holds a damaged row: the checksum of things\/n\/o4/,
  },
  {
    name: 'a missing key',
    when: 'closed',
    damage: (dir) => rmSync(join(dir, 'store.key')),
    says: /store\.key is missing: without it the Secrets in .*store\.db cannot be read/,
  },
  {
    name: 'the key of another store',
    when: 'closed',
    damage: (dir) => writeFileSync(join(dir, 'store.key'), 'ab'.repeat(32)),
    says: /store\.key is not the key of .*store\.db: it is from another store/,
  },
  {
    name: 'a key that is none',
    when: 'closed',
    damage: (dir) => writeFileSync(join(dir, 'store.key'), 'abc'),
    says: /store\.key is not a 32-byte key in hex/,
  },
  {
    name: 'a database of another program',
    when: 'closed',
    damage: (dir) => {
      rmSync(database(dir));
      const db = new DatabaseSync(database(dir));
      db.exec('CREATE TABLE songs (title TEXT)');
      db.close();
    },
    says: /store\.db is a database of another program/,
  },
  {
    name: 'a newer format',
    when: 'closed',
    damage: (dir) => {
      const db = new DatabaseSync(database(dir));
      db.exec('PRAGMA user_version = 99');
      db.close();
    },
    code: 'BLM_STORE_FORMAT',
    says: /store\.db: it has format 99, and this version reads up to 2; use the version that wrote it/,
  },
];

describe('a damaged store', () => {
  for (const { name, when, damage, code = 'BLM_STORE_CORRUPT', says } of DAMAGES) {
    it(`is refused: ${name}`, async (t) => {
      const dir = await (when === 'killed' ? killedStore(t) : closedStore(t));
      damage(dir);
      const before = new Map(readdirSync(dir).map((file) => [file, readFileSync(join(dir, file))]));
      const error = refusal(dir);
      assert.equal(error.code, code);
      assert.match(error.message, says);
      if (code === 'BLM_STORE_CORRUPT') assert.match(error.message, /Keep the damaged files, and restore a backup: /);
      // A second look finds the same; nothing was put in the place of what is missing.
      assert.equal(refusal(dir).message, error.message);
      for (const file of ['store.db-wal', 'store.key', 'store.mark'])
        if (when === 'killed' || file !== 'store.db-wal')
          assert.equal(existsSync(join(dir, file)), before.has(file), file);
      if (when === 'killed' && before.has('store.db-wal'))
        assert.deepEqual(readFileSync(log(dir)), before.get('store.db-wal'), 'the evidence is kept');
    });
  }

  it('is never opened with less than was acknowledged, wherever its write-ahead log is damaged', async (t) => {
    const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));
    t.diagnostic(`seed ${seed}`);
    let state = seed;
    const next = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state % below;
    };
    const whole = await killedStore(t);
    const { size } = statSync(log(whole));
    let refused = 0;
    for (let round = 0; round < 60; round++) {
      const dir = killedCopy(t, whole);
      flip(log(dir), next(size), 1 + next(64));
      try {
        const store = openTestStore(dir);
        assert.equal(store.revision, 2 * OBJECTS + 1);
        assert.equal(store.list('things').length + store.list('secrets').length, OBJECTS);
        await store.close();
      } catch (error) {
        assert.ok(isBloomeryError(error, 'BLM_STORE_CORRUPT'), String(error));
        refused += 1;
      }
    }
    assert.ok(refused > 0);
  });

  it('opens with a torn end of a commit that nobody was told of', async (t) => {
    const dir = await killedStore(t);
    const bytes = readFileSync(log(dir));
    // The first half of what would be the next frame.
    writeFileSync(log(dir), Buffer.concat([bytes, bytes.subarray(32, 32 + 2000)]));
    const store = openTestStore(dir);
    assert.equal(store.revision, 2 * OBJECTS + 1);
    await store.close();
    assert.deepEqual(readdirSync(dir).sort(), ['store.db', 'store.key', 'store.mark']);
  });

  it('opens without a mark, or with a damaged one, and makes it anew', async (t) => {
    const dir = await closedStore(t);
    for (const damage of [() => rmSync(join(dir, 'store.mark')), () => flip(join(dir, 'store.mark'), 40, 3)]) {
      damage();
      const store = openTestStore(dir);
      assert.equal(store.revision, 2 * OBJECTS + 1);
      await store.close();
      assert.match(readFileSync(join(dir, 'store.mark'), 'latin1'), /acknowledged 0000000000000121 /);
    }
  });

  it('may be killed at any moment of its very first start', async (t) => {
    const dir = testDirectory(t);
    writeFileSync(database(dir), '', { mode: 0o600 });
    await openTestStore(dir).close();
    rmSync(join(dir, 'store.key'));
    rmSync(join(dir, 'store.mark'));
    const db = new DatabaseSync(database(dir));
    db.exec('UPDATE state SET key_check = NULL');
    db.close();
    const store = openTestStore(dir);
    await putText(store, 'a', 'x', 'secrets');
    await store.close();
  });
});
