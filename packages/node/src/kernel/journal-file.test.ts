import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Logger, silentLog } from '@bloomery/ports';
import fc from 'fast-check';
import type { JournalEntry } from './journal-entry.ts';
import { type JournalFile, openJournalFile } from './journal-file.ts';

const entry = (linkIndex: number): JournalEntry => ({ do: 'removeAddress', linkIndex, address: '10.0.0.1/24' });

describe('the file of a journal', () => {
  let dir: string;
  let file: string;
  let said: string[];
  const log: Logger = { ...silentLog, warn: (event) => void said.push(event) };
  const open = (): Promise<JournalFile> => openJournalFile(file, dir, log);
  const put = (journal: JournalFile, key: string, linkIndex: number): Promise<void> => {
    journal.entries.set(key, entry(linkIndex));
    return journal.save(key);
  };
  const drop = (journal: JournalFile, key: string): Promise<void> => {
    journal.entries.delete(key);
    return journal.save(key);
  };
  const boot = (id: string): void => {
    const path = join(dir, 'proc/sys/kernel/random/boot_id');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${id}\n`);
  };
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'blm-undo-'));
    file = join(dir, 'undo.json');
    said = [];
    boot('this');
    mkdirSync(join(dir, 'proc/self/ns'), { recursive: true });
    symlinkSync('net:[1]', join(dir, 'proc/self/ns/net'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('holds what was saved, the oldest first, for whoever opens it next, and nobody else', async () => {
    const journal = await open();
    for (const [at, key] of ['a', 'b', 'c'].entries()) await put(journal, key, at);
    await drop(journal, 'b');
    await put(journal, 'a', 9);
    assert.deepEqual(
      [...(await open()).entries],
      [
        ['a', entry(9)],
        ['c', entry(2)],
      ],
    );
    assert.equal(statSync(file).mode & 0o777, 0o600);
    await journal.remove();
    assert.throws(() => statSync(file), { code: 'ENOENT' });
    assert.equal((await open()).entries.size, 0);
    assert.deepEqual(said, []);
  });

  it('is void after another boot, and in another network', async () => {
    await put(await open(), 'a', 1);
    boot('another');
    assert.equal((await open()).entries.size, 0);
    boot('this');
    rmSync(join(dir, 'proc/self/ns/net'));
    symlinkSync('net:[2]', join(dir, 'proc/self/ns/net'));
    assert.equal((await open()).entries.size, 0);
    assert.deepEqual(said, []);
  });

  it('that cannot be read is said, and is empty', async () => {
    for (const text of ['', '\n', '{\n', '[]\n', '7\n', '{"network":1}\n']) {
      writeFileSync(file, text);
      assert.equal((await open()).entries.size, 0);
    }
    assert.deepEqual(said, Array(6).fill('kernel.journal_unreadable'));
  });

  it('with lines that cannot be read holds the others', async () => {
    await put(await open(), 'a', 1);
    writeFileSync(file, `${readFileSync(file, 'utf8')}[\n{"entry":{"do":"x"}}\n{"key":"b","entry":{"do":"x"}}\n`);
    assert.deepEqual([...(await open()).entries.keys()], ['a', 'b']);
    assert.deepEqual(said, Array(2).fill('kernel.journal_unreadable'));
  });

  it('costs a line for a change, however much it holds, and is written anew when most of it is past', async () => {
    const journal = await open();
    for (let i = 0; i < 100; i++) journal.entries.set(`kept ${i}`, entry(i));
    await journal.save(...journal.entries.keys());
    const whole = statSync(file).ino;
    const before = statSync(file).size;
    await put(journal, 'more', 5);
    assert.equal(statSync(file).ino, whole);
    assert.ok(statSync(file).size - before < 120);
    for (let i = 0; i < 500; i++) await (i % 2 === 0 ? put(journal, 'x', i) : drop(journal, 'x'));
    const lines = readFileSync(file, 'utf8').split('\n').length;
    assert.ok(lines <= 2 * 102 + 202, `${lines} lines`);
    assert.equal((await open()).entries.size, 101);
  });

  it('holds everything after a save, however many were made at once', async () => {
    const journal = await open();
    await Promise.all(Array.from({ length: 50 }, (_, i) => put(journal, `k${i}`, i)));
    assert.equal((await open()).entries.size, 50);
  });

  it('that somebody takes away is written whole with the next change', async () => {
    const journal = await open();
    await put(journal, 'a', 1);
    rmSync(file);
    await put(journal, 'b', 2);
    assert.deepEqual([...(await open()).entries.keys()], ['a', 'b']);
  });

  it('is whole again when a disk that failed works again', async () => {
    const journal = await open();
    await put(journal, 'a', 1);
    // Neither can a line be added, nor the file be written anew.
    rmSync(file);
    mkdirSync(join(file, 'in-the-way'), { recursive: true });
    await put(journal, 'b', 2);
    assert.deepEqual(said, ['kernel.journal_unwritten']);
    rmSync(file, { recursive: true });
    await put(journal, 'c', 3);
    assert.deepEqual([...(await open()).entries.keys()], ['a', 'b', 'c']);
  });

  it('tells what it told before the last change, or with it, wherever that one was cut off', async () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const change = fc.tuple(key, fc.option(fc.nat(9), { nil: undefined }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 2, maxLength: 12 }), fc.nat(), async (changes, cut) => {
        rmSync(file, { force: true });
        const journal = await open();
        const states: string[] = [];
        let before = 0;
        for (const [name, index] of changes) {
          before = readIfThere(file).length;
          await (index === undefined ? drop(journal, name) : put(journal, name, index));
          states.push(JSON.stringify([...journal.entries]));
        }
        const text = readIfThere(file);
        const end = before + (cut % (text.length - before + 1));
        writeFileSync(file, text.slice(0, end));
        const found = JSON.stringify([...(await open()).entries]);
        assert.equal(found, states.at(end === text.length ? -1 : -2));
      }),
      { numRuns: 100 },
    );
  });
});

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
