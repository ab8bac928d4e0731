import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemClock as clock } from '@bloomery/ports';
import { kernelLog } from './kernel-log.ts';

function whyNoKernelLog(): string | false {
  try {
    closeSync(openSync('/dev/kmsg', 'r'));
    return false;
  } catch {
    return '/dev/kmsg cannot be read here';
  }
}

const asked = { root: '/', clock, follow: false, onlyNew: false, signal: new AbortController().signal };

describe('the log of the kernel', { skip: whyNoKernelLog() }, () => {
  it('is read to its end', async () => {
    const lines: string[] = [];
    for await (const line of kernelLog(asked)) lines.push(line);
    assert.ok(lines.length > 0);
    for (const line of lines) assert.match(line, /^\S+: +\w+: \[\d{4}-\d\d-\d\dT[\d:.]{15}Z\]: .*\n$/s);
  });

  it('is followed until one goes', async () => {
    const abort = new AbortController();
    const lines = kernelLog({ ...asked, follow: true, onlyNew: true, signal: abort.signal });
    const next = lines.next();
    abort.abort();
    assert.equal((await next).done, true);
  });
});

describe('a host without a log of the kernel', () => {
  it('says so', async () => {
    const root = mkdtempSync(join(tmpdir(), 'kernel-log-'));
    await assert.rejects(kernelLog({ ...asked, root }).next(), /ENOENT/);
    rmSync(root, { recursive: true });
  });
});
