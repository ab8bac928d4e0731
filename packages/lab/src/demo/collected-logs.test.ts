import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { followCollectedLogs } from './collected-logs.ts';

const dir = mkdtempSync(join(tmpdir(), 'bloomery-logs-'));
after(() => rmSync(dir, { recursive: true, force: true }));

it('collected lines are told apart by machine, also when a look finds half a line or half a character', () => {
  const file = join(dir, 'serverlogs.jsonl');
  const logs = followCollectedLogs(file);
  assert.deepEqual(logs.of('a'), []);
  const bytes = Buffer.from('{"msg":"hell\u00f6\\n","server_uuid":"a"}\n{"msg":"two","server_uuid":"b"}\n');
  for (const byte of bytes) {
    appendFileSync(file, Buffer.of(byte));
    logs.of('a');
  }
  assert.deepEqual(logs.of('a'), [{ msg: 'hell\u00f6\n', server_uuid: 'a' }]);
  assert.deepEqual(logs.of('b'), [{ msg: 'two', server_uuid: 'b' }]);
});
