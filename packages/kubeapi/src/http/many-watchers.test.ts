import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import { until } from '@bloomery/ports';
import { startTestListener, type TestListener } from '../testing/test-listener.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const WATCHERS = 10_000;
const SESSIONS = 10;
/** What one open watch may cost, both ends in one process: streams of HTTP/2, iterators, timers. */
const MAX_BYTES_EACH = 64 * 1024;

describe('10,000 watchers over HTTP/2', () => {
  let listener: TestListener;
  before(async () => {
    listener = await startTestListener();
  });
  after(() => listener[Symbol.asyncDispose]());

  it('all see an event, cost a bounded memory each, hold up nobody, and are forgotten', async (t) => {
    const { api, admin } = listener;
    const usedBefore = process.memoryUsage().rss;
    const sessions: ClientHttp2Session[] = [];
    let seen = 0;
    for (let s = 0; s < SESSIONS; s++) {
      const session = listener.session(admin);
      session.setMaxListeners(0);
      await once(session, 'remoteSettings');
      sessions.push(session);
      const path = `${MAPS}?watch=1&resourceVersion=${api.engine.store.revision}`;
      const answered = Array.from({ length: WATCHERS / SESSIONS }, () => {
        const stream = session.request({ ':path': path });
        stream.once('data', () => {
          seen += 1;
        });
        return once(stream, 'response');
      });
      await Promise.all(answered);
    }
    assert.equal(api.engine.hub.size, WATCHERS);
    const used = process.memoryUsage().rss - usedBefore;
    t.diagnostic(
      `${Math.round(used / WATCHERS / 1024)} KiB resident for each watch, both ends; ${Math.round(used / 2 ** 20)} MiB in all`,
    );
    assert.ok(used < WATCHERS * MAX_BYTES_EACH, `${used} bytes`);

    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ metadata: { name: 'seen-by-all' } });
    assert.equal((await listener.call('POST', MAPS, { identity: admin, headers, body })).code, 201);
    // Others are answered while the event is being sent to all.
    assert.equal((await listener.call('GET', MAPS, { identity: admin })).code, 200);
    await until('all have seen it', () => seen === WATCHERS);

    for (const session of sessions) session.destroy();
    await until('all watches are gone', () => api.engine.hub.size === 0);
  });
});
