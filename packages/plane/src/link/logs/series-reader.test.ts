import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { openRecordFile, silentLog, systemClock } from '@bloomery/ports';
import { readSeries, type Series, type SeriesReader, type SeriesStart } from './series-reader.ts';

describe('a series of files', () => {
  let dir: string;
  let series: Series;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'bloomery-series-'));
    series = { file: join(dir, 'x.jsonl'), oldFiles: 3 };
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const restOf = async (reader: SeriesReader): Promise<string> => {
    let text = '';
    for (let part = await reader.read(); part !== undefined; part = await reader.read()) {
      text += `${part.isBehindGap ? '…' : ''}${part.bytes}`;
    }
    return text;
  };
  const all = async (start?: SeriesStart): Promise<string> => {
    await using reader = readSeries(series, start);
    return await restOf(reader);
  };
  const rotate = (): void => {
    for (const [from, to] of [
      ['.2', '.3'],
      ['.1', '.2'],
      ['', '.1'],
    ] as const) {
      try {
        renameSync(series.file + from, series.file + to);
      } catch {}
    }
  };
  const append = (text: string): void => appendFileSync(series.file, text);

  it('is read from its oldest line to its newest', async () => {
    for (const text of ['1\n2\n', '3\n', '4\n5\n']) {
      rotate();
      append(text);
    }
    assert.equal(await all(), '1\n2\n3\n4\n5\n');
  });

  it('may not be there yet', async () => {
    await using reader = readSeries(series);
    assert.equal(await reader.read(), undefined);
    append('1\n');
    assert.equal(await restOf(reader), '1\n');
  });

  it('is read on, also over files that are put aside meanwhile, without losing or repeating a line', async () => {
    append('1\n');
    await using reader = readSeries(series);
    assert.equal(await restOf(reader), '1\n');
    append('2\n');
    rotate();
    append('3\n');
    rotate();
    assert.equal(await restOf(reader), '2\n3\n');
    assert.equal(await reader.read(), undefined);
    append('4\n');
    assert.equal(await restOf(reader), '4\n');
  });

  it('gives no line before its newline is there', async () => {
    append('1\n2');
    await using reader = readSeries(series);
    assert.equal(await restOf(reader), '1\n');
    append('2\n');
    assert.equal(await restOf(reader), '22\n');
  });

  it('says that lines are gone when its reader was too slow', async () => {
    append('1\n');
    await using reader = readSeries(series);
    assert.equal(await restOf(reader), '1\n');
    for (const line of ['2\n', '3\n', '4\n', '5\n', '6\n']) {
      rotate();
      append(line);
    }
    assert.equal(await restOf(reader), '…3\n4\n5\n6\n');
  });

  it('is read on from a position, also one of a file that was put aside', async () => {
    append('1\n2\n3\n');
    await using reader = readSeries(series);
    const part = await reader.read();
    assert.ok(part);
    const behindOne = { file: part.position.file, offset: part.position.offset + 2 };
    rotate();
    append('4\n');
    assert.equal(await all(behindOne), '2\n3\n4\n');
    assert.equal(await all({ file: '1-1', offset: 0 }), '…1\n2\n3\n4\n');
    assert.equal(await all({ file: part.position.file, offset: 1000 }), '…1\n2\n3\n4\n');
  });

  it('is read from so many bytes before its end, from a whole line on', async () => {
    append('111\n222\n');
    rotate();
    append('333\n444\n');
    assert.equal(await all({ lastBytes: 0 }), '');
    assert.equal(await all({ lastBytes: 5 }), '444\n');
    assert.equal(await all({ lastBytes: 11 }), '333\n444\n');
    assert.equal(await all({ lastBytes: 1000 }), '111\n222\n333\n444\n');
  });

  it('has lines of any length', async () => {
    const long = 'x'.repeat(300_000);
    append(`1\n${long}\n2\n`);
    assert.equal(await all(), `1\n${long}\n2\n`);
  });

  it('is read whole while it is written as fast as can be', async () => {
    const limits = { fileBytes: 20_000, oldFiles: 3, fullBytes: 1000, gatherMs: 0 };
    await using records = openRecordFile({ ...series, name: 'x', clock: systemClock, log: silentLog, limits });
    await using reader = readSeries(series);
    let text = '';
    for (let i = 0; i < 3000; i++) {
      records.write(`line ${i}`);
      if (i % 50 !== 0) continue;
      await records.flushed();
      text += await restOf(reader);
    }
    await records.flushed();
    text += await restOf(reader);
    assert.deepEqual(
      text.trimEnd().split('\n'),
      Array.from({ length: 3000 }, (_, i) => `line ${i}`),
    );
  });

  it('is a single file when none may be put aside', async () => {
    series = { ...series, oldFiles: 0 };
    writeFileSync(series.file, '1\n');
    assert.equal(await all(), '1\n');
  });
});
