import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Logger, silentLog } from '@bloomery/ports';
import { createNotices } from './notices.ts';

describe('notices', () => {
  it('are said when they become true, and again after they were not', () => {
    const said: unknown[] = [];
    const log: Logger = { ...silentLog, warn: (event, fields) => said.push([event, fields]) };
    const notices = createNotices('warn', 'link.conflict');
    for (const now of [['a'], ['a', 'b', 'b'], [], ['a']]) notices.say(log, now);
    assert.deepEqual(
      said,
      ['a', 'b', 'a'].map((notice) => ['link.conflict', { notice }]),
    );
  });
});
