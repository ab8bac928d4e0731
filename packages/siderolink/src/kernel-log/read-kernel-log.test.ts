import assert from 'node:assert/strict';
import { accessSync, appendFileSync, constants } from 'node:fs';
import { describe, it } from 'node:test';
import { createFakeClock, type Logger, silentLog, systemClock } from '@bloomery/ports';
import { parseKernelLogRecord } from './kernel-log-record.ts';
import { startKernelLogSender } from './kernel-log-sender.ts';
import { bootTimeNs, kernelLogReader } from './read-kernel-log.ts';

function whyNot(): string | false {
  try {
    accessSync('/dev/kmsg', constants.R_OK | constants.W_OK);
    return false;
  } catch {
    return '/dev/kmsg cannot be read and written here';
  }
}

describe('the kernel log', () => {
  it('is read from its start, record by record, and followed', { skip: whyNot(), timeout: 20_000 }, async () => {
    const stop = new AbortController();
    const words = [1, 2].map((i) => `bloomery-kernel-log-test-${process.pid}-${i}`);
    const found: string[] = [];
    let records = 0;
    appendFileSync('/dev/kmsg', `<6>${words[0]}\n`);
    for await (const raw of kernelLogReader(systemClock)(stop.signal)) {
      records += 1;
      const record = parseKernelLogRecord(raw);
      assert.ok(record, `not a record: ${Buffer.from(raw)}`);
      const word = words.find((text) => record.message.includes(text));
      if (word === undefined) continue;
      found.push(word);
      if (found.length === 1) setImmediate(() => appendFileSync('/dev/kmsg', `<6>${words[1]}\n`));
      else stop.abort();
    }
    assert.deepEqual(found, words);
    assert.ok(records >= 2);
  });

  it('ends the sender with a word where it cannot be read', async () => {
    const warnings: string[] = [];
    const log: Logger = { ...silentLog, warn: (event) => void warnings.push(event) };
    const source = kernelLogReader(systemClock, '/nowhere/kmsg');
    const options = { destinations: ['tcp://127.0.0.1:1'], source, bootTimeNs: 0n };
    const sender = startKernelLogSender(options, { clock: systemClock, log });
    await sender[Symbol.asyncDispose]();
    assert.deepEqual(warnings, ['link.kernel_log_unreadable']);
  });

  it('counts from when the system was booted', () => {
    const nowMs = 1_700_000_000_000;
    const boot = bootTimeNs(createFakeClock(nowMs));
    const uptimeNs = process.hrtime.bigint();
    assert.ok(boot < BigInt(nowMs) * 1_000_000n);
    assert.ok(BigInt(nowMs) * 1_000_000n - boot <= uptimeNs);
  });
});
