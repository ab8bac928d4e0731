import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { testDirectory } from '../testing/numbered-store.ts';
import { openMark, readMark } from './acknowledged-mark.ts';

describe('the mark of what was acknowledged', () => {
  it('keeps the last revision, in a file of one length for its owner only', async (t) => {
    const file = join(testDirectory(t), 'mark');
    assert.equal(readMark(file), undefined);
    const mark = openMark(file, 1);
    const { size } = statSync(file);
    for (const revision of [2, 1000, 9_007_199_254_740_991]) {
      mark.record(revision);
      assert.equal(readMark(file), revision);
    }
    mark.flush();
    mark.flush();
    mark.record(7);
    await mark.close();
    await mark.close();
    assert.equal(readMark(file), 7);
    assert.deepEqual([statSync(file).size, statSync(file).mode & 0o777], [size, 0o600]);
  });

  it('proves nothing when any byte of it is wrong', async (t) => {
    const file = join(testDirectory(t), 'mark');
    await openMark(file, 4711).close();
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      writeFileSync(file, bytes);
      assert.equal(readMark(file), undefined, `byte ${at}`);
      writeFileSync(file, whole.subarray(0, at));
      assert.equal(readMark(file), undefined, `length ${at}`);
    }
  });
});
