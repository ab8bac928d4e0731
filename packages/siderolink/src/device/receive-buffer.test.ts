import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Logger, silentLog } from '@bloomery/ports';
import { withLargeReceiveBuffer } from './receive-buffer.ts';

describe('the receive buffer that wireguard-go finds', () => {
  let dir: string;
  let file: string;
  let said: string[];
  const log: Logger = { ...silentLog, info: (event) => void said.push(event), warn: (event) => void said.push(event) };
  const now = (): string => readFileSync(file, 'utf8').trim();
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'bloomery-buffer-'));
    file = join(dir, 'rmem_default');
    said = [];
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('is large while the socket is opened, and as before afterwards', async () => {
    writeFileSync(file, '212992\n');
    assert.equal(await withLargeReceiveBuffer(async () => now(), log, file), '4194304');
    assert.equal(now(), '212992');
    assert.deepEqual(said, []);
  });

  it('is as before when the socket cannot be opened', async () => {
    writeFileSync(file, '212992\n');
    await assert.rejects(
      withLargeReceiveBuffer(() => Promise.reject(new Error('in use')), log, file),
      /in use/,
    );
    assert.equal(now(), '212992');
  });

  it('is left alone when it is large enough', async () => {
    writeFileSync(file, '7340032\n');
    assert.equal(await withLargeReceiveBuffer(async () => now(), log, file), '7340032');
  });

  it('is not missed where it cannot be read or written', async () => {
    assert.equal(await withLargeReceiveBuffer(async () => 'open', log, join(dir, 'none')), 'open');
    assert.deepEqual(said, []);
    // A file of the kernel's that nobody may write, root included.
    const fixed = '/proc/sys/kernel/ngroups_max';
    assert.equal(await withLargeReceiveBuffer(async () => 'open', log, fixed), 'open');
    assert.deepEqual(said, ['link.small_receive_buffer']);
  });
});
