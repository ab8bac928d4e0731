import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { asApiObject } from '../api-object.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import type { HubEvent } from '../watch/watch-hub.ts';
import { eventBytes, shareEventBytes } from './event-bytes.ts';

/** What an event is encoded for: a resource and one of its versions. */
type Shown = Parameters<typeof shareEventBytes>[0];

describe('lines of events', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi();
  });
  after(() => api[Symbol.asyncDispose]());
  const shown = (id: string): Shown => {
    const resource = api.engine.registry.byId(id);
    assert.ok(resource);
    return { resource, version: resource.storage };
  };
  const event = (name: string, bytes: number): HubEvent => ({
    type: 'ADDED',
    rev: 1,
    object: asApiObject({ apiVersion: 'v1', kind: 'X', metadata: { name }, data: { text: 'x'.repeat(bytes) } }),
  });

  it('are made once for all watchers of a version and shape', () => {
    const one = event('one', 10);
    const line = shareEventBytes(shown('configmaps'), 'object', one);
    assert.equal(shareEventBytes(shown('configmaps'), 'object', one), line);
    assert.equal(eventBytes(shown('configmaps'), 'object', one), line);
    assert.match(line.toString(), /^\{"type":"ADDED","object":\{.*"data":\{"text":"x{10}"\}\}\}\n$/);
    assert.doesNotMatch(shareEventBytes(shown('configmaps'), 'metadata', one).toString(), /"data"/);
  });

  it('of all kinds together are kept up to a bound, and are the same when they are made anew', () => {
    const first = event('first', 1024);
    const line = shareEventBytes(shown('configmaps'), 'object', first);
    for (let i = 0; i < 10; i++)
      shareEventBytes(shown(i % 2 === 0 ? 'secrets' : 'pods'), 'object', event(`${i}`, 1 << 20));
    const again = shareEventBytes(shown('configmaps'), 'object', first);
    assert.notEqual(again, line);
    assert.deepEqual(again, line);
  });
});
