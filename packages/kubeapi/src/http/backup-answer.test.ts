import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { createBackupCheck } from '../store/backup/read-backup.ts';
import { openTestStore, putText, testDirectory } from '../testing/numbered-store.ts';
import type { ApiAnswer, ApiRequest } from './api-request.ts';
import { BACKUP_PATH, createBackupAnswer } from './backup-answer.ts';

const USER = { name: 'admin', groups: [] };

function request(method = 'GET'): ApiRequest {
  return {
    method,
    path: BACKUP_PATH,
    query: new URLSearchParams(),
    headers: {},
    body: async () => new Uint8Array(),
    user: USER,
    signal: new AbortController().signal,
  };
}

async function answering(t: TestContext): Promise<() => ApiAnswer> {
  const store = openTestStore(testDirectory(t));
  t.after(() => store.close());
  await putText(store, 'a', 'x'.repeat(300_000));
  await putText(store, 'b', 'x');
  const answer = createBackupAnswer({
    store,
    clock: createFakeClock(Date.parse('2026-01-01T00:00:00Z')),
    log: silentLog,
    version: '1.2.3',
    files: () => [{ name: 'pki/ca.crt', content: Buffer.from('certificate') }],
  });
  assert.throws(() => answer(request('POST'), USER), { code: 'BLM_API_METHOD_NOT_ALLOWED' });
  return () => answer(request(), USER);
}

function bytesOf({ body }: ApiAnswer): AsyncIterator<Uint8Array> {
  assert.ok(typeof body === 'object' && Symbol.asyncIterator in body);
  return body[Symbol.asyncIterator]();
}

async function rest(bytes: AsyncIterator<Uint8Array>): Promise<string> {
  let text = '';
  for (let item = await bytes.next(); item.done !== true; item = await bytes.next())
    text += Buffer.from(item.value).toString();
  return text;
}

describe('the answer with a backup', () => {
  it('is a whole backup of this moment, and is not to be cached', async (t) => {
    const answer = (await answering(t))();
    assert.deepEqual([answer.status, answer.headers['cache-control']], [200, 'no-store']);
    const check = createBackupCheck('answer');
    for (const line of (await rest(bytesOf(answer))).split('\n').slice(0, -1)) check.line(Buffer.from(line));
    assert.deepEqual(check.end(), {
      format: 1,
      version: '1.2.3',
      time: '2026-01-01T00:00:00Z',
      revision: 3,
      objects: 2,
      files: 1,
    });
  });

  it('is refused to a third caller while two are served, and given when one is done or gone', async (t) => {
    const ask = await answering(t);
    const [first, second] = [bytesOf(ask()), bytesOf(ask())];
    await Promise.all([first.next(), second.next()]);
    assert.throws(ask, (error: { facts?: { status?: { code?: number } } }) => error.facts?.status?.code === 429);
    await rest(first);
    const third = bytesOf(ask());
    await third.next();
    await second.return?.();
    await rest(bytesOf(ask()));
    await rest(third);
  });
});
