import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Json } from '@bloomery/model';
import { crdFor, type JsonCaller, jsonCaller } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { MAX_OBJECT_BYTES } from './size-limit.ts';

const THINGS = '/apis/g.test/v1/namespaces/default/things';
const MERGE = 'application/merge-patch+json';

describe('an object that is too large', () => {
  let api: TestApi;
  let call: JsonCaller;
  before(async () => {
    api = await startTestApi();
    call = jsonCaller(api);
    await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crdFor('g.test', 'things', 'Thing'));
    await api.engine.idle();
  });
  after(() => api[Symbol.asyncDispose]());

  const thing = (name: string, bytes: number, letter = 'x'): Json => ({
    apiVersion: 'g.test/v1',
    kind: 'Thing',
    metadata: { name },
    spec: { text: letter.repeat(bytes / Buffer.byteLength(letter)) },
  });

  it('is refused with 413 and not stored, however it came to be', async () => {
    assert.equal((await call('POST', THINGS, thing('half', MAX_OBJECT_BYTES / 2))).code, 201);
    const { revision } = api.engine.store;
    const refused = await call('POST', THINGS, thing('whole', MAX_OBJECT_BYTES));
    assert.deepEqual([refused.code, refused.body['reason']], [413, 'RequestEntityTooLarge']);
    assert.match(String(refused.body['message']), /^request is too large: the object would take 157\d{4} bytes/);
    const more = { spec: { more: 'y'.repeat(MAX_OBJECT_BYTES / 2) } };
    assert.equal((await call('PATCH', `${THINGS}/half`, more, MERGE)).code, 413);
    assert.equal((await call('POST', THINGS, thing('wide', MAX_OBJECT_BYTES, 'ä'))).code, 413);
    await api.engine.idle();
    assert.equal(api.engine.store.revision, revision);
    assert.equal((await call('PATCH', `${THINGS}/half`, { spec: { more: 'y' } }, MERGE)).code, 200);
  });
});
