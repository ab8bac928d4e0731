import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createFakeClock, type Logger, type RecordFileLimits, silentLog } from '@bloomery/ports';
import { openAuditLog } from './audit-log.ts';

describe('the audit log', () => {
  const clock = createFakeClock();
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'bloomery-audit-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const open = (
    limits: Partial<RecordFileLimits> = {},
    log: Logger = silentLog,
    file = join(dir, 'logs', 'audit.jsonl'),
  ) => openAuditLog({ file, clock, log, limits });

  it('writes one line for each event, in order, readable by its owner only', async () => {
    const audit = open();
    for (let i = 0; i < 1000; i++) audit.write({ i });
    await audit[Symbol.asyncDispose]();
    const file = join(dir, 'logs', 'audit.jsonl');
    assert.deepEqual(
      readFileSync(file, 'utf8').trim().split('\n'),
      Array.from({ length: 1000 }, (_, i) => `{"i":${i}}`),
    );
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(audit.counts, { written: 1000, lost: 0 });
  });

  it('goes on in the file of an earlier start', async () => {
    for (const run of [1, 2]) {
      const audit = open();
      audit.write({ run });
      await audit[Symbol.asyncDispose]();
    }
    assert.equal(readFileSync(join(dir, 'logs', 'audit.jsonl'), 'utf8'), '{"run":1}\n{"run":2}\n');
  });

  it('begins a line of its own behind one that broke off', async () => {
    const file = join(dir, 'logs', 'audit.jsonl');
    mkdirSync(join(dir, 'logs'));
    writeFileSync(file, '{"run":1}\n{"ru');
    const audit = open();
    audit.write({ run: 2 });
    await audit[Symbol.asyncDispose]();
    assert.equal(readFileSync(file, 'utf8'), '{"run":1}\n{"ru\n{"run":2}\n');
  });

  it('puts full files aside and keeps the newest only', async () => {
    const audit = open({ fileBytes: 40, oldFiles: 2 });
    for (let i = 0; i < 20; i++) {
      audit.write({ number: i, pad: 'xxxxxxxx' });
      await audit[Symbol.asyncDispose]();
    }
    assert.deepEqual(readdirSync(join(dir, 'logs')).sort(), ['audit.jsonl', 'audit.jsonl.1', 'audit.jsonl.2']);
    const numbers = ['.2', '.1', ''].map(
      (end) => /\d+/.exec(readFileSync(join(dir, 'logs', `audit.jsonl${end}`), 'utf8'))?.[0],
    );
    assert.deepEqual(numbers, ['17', '18', '19']);
  });

  it('loses and counts events while it cannot write, says so once, and goes on afterwards', async () => {
    const said: string[] = [];
    const log: Logger = {
      ...silentLog,
      error: (event) => said.push(event),
      info: (event) => said.push(event),
      with: () => log,
    };
    // A file where the directory should be: no write can succeed.
    writeFileSync(join(dir, 'logs'), '');
    const audit = open({ retryMs: 1000 }, log);
    for (let i = 0; i < 3; i++) {
      audit.write({ i });
      await audit[Symbol.asyncDispose]();
    }
    assert.deepEqual([audit.counts, said], [{ written: 0, lost: 3 }, ['audit.write-failed']]);
    assert.match(audit.problem ?? '', /EEXIST|ENOTDIR/);
    rmSync(join(dir, 'logs'));
    audit.write({ back: true });
    await audit[Symbol.asyncDispose]();
    assert.deepEqual([audit.counts, said], [{ written: 1, lost: 3 }, ['audit.write-failed', 'audit.resumed']]);
    assert.equal(audit.problem, undefined);
  });

  it('drops what is more than its memory may hold, without waiting', async () => {
    // Lines wait a little for others: the first two fit.
    const audit = open({ waitingBytes: 50 });
    for (let i = 0; i < 10; i++) audit.write({ i: 'xxxxxxxxxx' });
    await audit[Symbol.asyncDispose]();
    assert.deepEqual(audit.counts, { written: 2, lost: 8 });
  });
});
