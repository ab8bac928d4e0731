import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isBloomeryError, type Logger, silentLog } from '@bloomery/ports';
import { checkFolderOwner } from './state-folder.ts';

describe('the folder of a node', () => {
  let dir: string;
  let said: string[];
  let log: Logger;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'blm-state-'));
    said = [];
    log = { ...silentLog, warn: (event) => said.push(event) };
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const owner = (): number => statSync(dir).uid;
  const mode = (): number => statSync(dir).mode & 0o777;

  it('that only its owner writes is used', () => {
    chmodSync(dir, 0o755);
    checkFolderOwner(dir, { uid: owner() }, log);
    assert.deepEqual([mode(), said], [0o755, []]);
  });

  it('that others can write is used and left as it is, which is said', () => {
    chmodSync(dir, 0o777);
    checkFolderOwner(dir, { uid: owner() }, log);
    assert.deepEqual([mode(), said], [0o777, ['node.state_folder_open']]);
  });

  it('of another user is not used, unless that one called sudo', {
    skip: process.getuid?.() === 0 ? false : 'needs root',
  }, () => {
    chownSync(dir, 1_234, 1_234);
    const message = new RegExp(
      `^using ${dir}: it belongs to another user \\(uid 1234\\), who could tell the daemon what to do; `,
    );
    assert.throws(
      () => checkFolderOwner(dir, { uid: 0 }, log),
      (error) => isBloomeryError(error, 'BLM_NODE_STATE_UNUSABLE') && message.test(error.message),
    );
    checkFolderOwner(dir, { uid: 0, sudoUid: 1_234 }, log);
  });
});
