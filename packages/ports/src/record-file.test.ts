import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createFakeClock } from './fake-clock.ts';
import { type Logger, silentLog } from './log.ts';
import { openRecordFile, type RecordFile, type RecordFileLimits } from './record-file.ts';

describe('a file of records', () => {
  let dir: string;
  let file: string;
  let clock = createFakeClock();
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'bloomery-records-'));
    file = join(dir, 'logs', 'records.jsonl');
    clock = createFakeClock();
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const open = (limits: Partial<RecordFileLimits> = {}, log: Logger = silentLog): RecordFile =>
    openRecordFile({ file, name: 'records', clock, log, limits });
  const folder = (): string => join(dir, 'logs');

  it('has a line on disk 100 ms after it was taken, for its owner only', async () => {
    await using records = open();
    assert.equal(records.write('{"a":1}'), true);
    assert.equal(records.write('{"b":"ü"}'), true);
    await clock.advance(100);
    await records.flushed();
    assert.equal(readFileSync(file, 'utf8'), '{"a":1}\n{"b":"ü"}\n');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(records.counts, { written: 2, lost: 0 });
  });

  it('asks a writer to wait when enough waits for the disk, and loses nothing of who does', async () => {
    await using records = open({ fullBytes: 500, waitingBytes: 1000, fileBytes: 10_000, oldFiles: 40 });
    let waits = 0;
    for (let i = 0; i < 2000; i++) {
      if (records.write(`line ${i} ${'x'.repeat(90)}`)) continue;
      waits += 1;
      await records.drained();
    }
    await records.flushed();
    assert.ok(waits > 10, `${waits} waits`);
    assert.deepEqual(records.counts, { written: 2000, lost: 0 });
    const files = readdirSync(folder()).sort((a, b) => Number(b.slice(14)) - Number(a.slice(14)));
    assert.ok(files.length > 15, `${files.length} files`);
    const lines = files.flatMap((name) => readFileSync(join(folder(), name), 'utf8').trimEnd().split('\n'));
    assert.deepEqual(
      lines.map((line) => line.split(' ')[1]),
      Array.from({ length: 2000 }, (_, i) => String(i)),
    );
  });

  it('is flushed up to what was taken, also while more and more lines come', async () => {
    const taken = 'the line that somebody waits for';
    await using records = open({ gatherMs: 0 });
    let isFlushed = false;
    let more = 0;
    const flood = (): void => {
      // Without an end to the waiting the test fails here and does not hang.
      if (isFlushed || more === 20_000) return;
      records.write(`line ${more++} of the flood`);
      setImmediate(flood);
    };
    flood();
    records.write(taken);
    await records.flushed();
    isFlushed = true;
    assert.ok(more < 20_000, 'it was flushed when the flood had ended');
    assert.ok(readFileSync(file, 'utf8').includes(taken));
  });

  it('counts what does not fit when the writer does not wait', async () => {
    await using records = open({ fullBytes: 20, waitingBytes: 40 });
    for (let i = 0; i < 10; i++) records.write('123456789012345678');
    await records.flushed();
    const { written, lost } = records.counts;
    assert.equal(written + lost, 10);
    assert.ok(lost >= 4, `${lost} lost`);
    assert.equal(readFileSync(file, 'utf8').length, written * 19);
  });

  it('keeps the newest files only', async () => {
    await using records = open({ fileBytes: 8, oldFiles: 2 });
    for (let i = 0; i < 9; i++) {
      records.write(`line ${i}`);
      await records.flushed();
    }
    assert.deepEqual(readdirSync(folder()).sort(), ['records.jsonl', 'records.jsonl.1', 'records.jsonl.2']);
    assert.deepEqual(
      ['.2', '.1', ''].map((end) => readFileSync(`${file}${end}`, 'utf8')),
      ['line 6\n', 'line 7\n', 'line 8\n'],
    );
  });

  it('makes nobody wait for a disk that fails: lines are counted, it is said once, and it goes on', async () => {
    const said: string[] = [];
    const say = (event: string): void => void said.push(event);
    const log: Logger = { ...silentLog, error: say, info: say, with: () => log };
    writeFileSync(folder(), 'a file where the folder should be');
    await using records = open({ waitingBytes: 100, retryMs: 1000 }, log);
    records.write('first');
    await records.flushed();
    assert.match(records.problem ?? '', /EEXIST|ENOTDIR/);
    for (let i = 0; i < 100; i++) assert.equal(records.write('as much as it likes'), true);
    await records.drained();
    await clock.advance(1000);
    await records.flushed();
    assert.deepEqual(said, ['records.write-failed']);
    rmSync(folder());
    records.write('back');
    await clock.advance(1000);
    await records.flushed();
    assert.equal(readFileSync(file, 'utf8'), 'back\n');
    assert.equal(records.problem, undefined);
    assert.deepEqual(said, ['records.write-failed', 'records.resumed']);
    assert.deepEqual(records.counts, { written: 1, lost: 101 });
  });
});
