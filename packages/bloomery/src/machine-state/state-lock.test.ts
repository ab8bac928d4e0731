import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';

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
