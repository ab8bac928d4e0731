import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const MAIN = join(import.meta.dirname, 'main.ts');

describe('output that cannot be written', () => {
  it('is a failure, which is said: a file that it went into is not whole', () => {
    const full = openSync('/dev/full', 'w');
    try {
      const { status, stderr } = spawnSync(process.execPath, [MAIN, 'node', '--graph'], {
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      });
      const message = 'error: writing the output: ENOSPC: no space left on device, write\n';
      assert.deepEqual([status, stderr], [1, message]);
    } finally {
      closeSync(full);
    }
  });

  it('is none when its reader has seen enough', () => {
    const { stdout, stderr } = spawnSync(
      'sh',
      ['-c', '{ "$@"; echo "status $?" >&2; } | head -n 1', 'sh', process.execPath, MAIN, 'node', '--graph'],
      { encoding: 'utf8' },
    );
    assert.deepEqual([stdout, stderr], ['digraph controllers {\n', 'status 0\n']);
  });
});
