import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import { lockStateDir } from './state-lock.ts';

/** A process that takes the folder that it is given. */
const LOCK = `
  import { lockStateDir } from ${JSON.stringify(import.meta.resolve('./state-lock.ts'))};
  setInterval(() => {}, 1_000);
  globalThis.lock = await lockStateDir(process.argv[1], 'test');
`;

describe('a folder of the state', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'state-lock-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const refused = (error: unknown): boolean => {
    assert.ok(isBloomeryError(error, 'BLM_NODE_STATE_UNUSABLE'));
    assert.match(error.message, /another test runs on it; stop that one, or give --state another folder$/);
    return true;
  };
  const lock = () => lockStateDir(dir, 'test', 'BLM_NODE_STATE_UNUSABLE');

  it('is used by one process at a time, under whatever name', async () => {
    {
      using _first = await lock();
      await assert.rejects(lock(), refused);
      const link = `${dir}-link`;
      symlinkSync(dir, link);
      await assert.rejects(lockStateDir(link, 'test', 'BLM_NODE_STATE_UNUSABLE'), refused);
      rmSync(link);
    }
    using _again = await lock();
  });

  it('is free when its process was killed', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', `${LOCK}console.log('has it');`, dir]);
    await once(child.stdout, 'data');
    await assert.rejects(lock(), refused);
    child.kill('SIGKILL');
    await once(child, 'close');
    using _free = await lock();
  });

  it('cannot be taken by others of the host, who may not open its file', async () => {
    using _lock = await lock();
    assert.equal(statSync(join(dir, 'lock')).mode & 0o777, 0o600);
  });

  it('is used by one process at a time also where no file can be made in it', async () => {
    mkdirSync(join(dir, 'elsewhere'));
    symlinkSync(join(dir, 'elsewhere'), join(dir, 'lock'));
    {
      using _first = await lock();
      await assert.rejects(lock(), refused);
    }
    using _again = await lock();
  });
});

describe('a folder of the state that cannot be made', () => {
  it('is refused at once, also where Node would try for ever', () => {
    const code = `
      import { lockStateDir } from ${JSON.stringify(import.meta.resolve('./state-lock.ts'))};
      await lockStateDir('/proc/1/no/such/folder', 'test').catch((error) => console.log(error.code));
    `;
    const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
      encoding: 'utf8',
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    assert.deepEqual([stdout.trim(), signal], ['ENOENT', null]);
  });
});
