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

  const body = (name: string) => ({ apiVersion: 'g.test/v1', kind: 'Thing', metadata: { name }, spec: {} });

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

  it('is refused before its managedFields are made when they alone would be too much', async () => {
    const many = (make: (i: number) => Json): readonly Json[] => Array.from({ length: 40_000 }, (_, i) => make(i));
    const finalizers = many((i) => `a.b/finalizer-${i}`);
    const ownerReferences = many((i) => ({ apiVersion: 'v1', kind: 'A', name: 'n', uid: `u${i}` })).slice(0, 20_000);
    const wide = { ...body('wide'), metadata: { name: 'wide', finalizers } };
    assert.ok(JSON.stringify(wide).length < MAX_OBJECT_BYTES);
    const texts: string[] = [];
    for (const metadata of [{ finalizers }, { ownerReferences }]) {
      const refused = await call('POST', THINGS, { ...body('wide'), metadata: { name: 'wide', ...metadata } });
      texts.push(`${refused.code} ${String(refused.body['message'])}`);
    }
    assert.equal((await call('POST', THINGS, body('grows'))).code, 201);
    const grown = await call('PATCH', `${THINGS}/grows`, { metadata: { finalizers } }, MERGE);
    texts.push(`${grown.code} ${String(grown.body['message'])}`);
    const more = many((i) => `a.b/finalizer-of-great-length-${i}`);
    const path = `${THINGS}/applied?fieldManager=a`;
    const applied = { ...body('applied'), metadata: { name: 'applied', finalizers: more } };
    const refused = await call('PATCH', path, applied, 'application/apply-patch+yaml');
    texts.push(`${refused.code} ${String(refused.body['message'])}`);
    for (const text of texts) assert.match(text, /^413 .* would take \d+ bytes or more in the store/);
  });

  it('is not refused for fields that nobody has to own', async () => {
    const finalizers = Array.from({ length: 40_000 }, (_, i) => `a.b/finalizer-${i}`);
    assert.equal((await call('POST', THINGS, body('bare'))).code, 201);
    const reset = { metadata: { managedFields: [] } };
    assert.equal((await call('PATCH', `${THINGS}/bare`, reset, MERGE)).code, 200);
    assert.equal((await call('PATCH', `${THINGS}/bare`, { metadata: { finalizers } }, MERGE)).code, 200);
    const noted = { metadata: { annotations: { a: 'b'.repeat(200_000), 'a.b/c': 'd'.repeat(60_000) } } };
    assert.equal((await call('PATCH', `${THINGS}/bare`, noted, MERGE)).code, 200);
  });

  it('is refused when defaults would make it so, without making it', async () => {
    const letters = { type: 'string', default: 'x'.repeat(100) };
    const properties = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`p${i}`, letters]));
    const items = { type: 'object', properties };
    const list = { type: 'array', items };
    const openAPIV3Schema = { type: 'object', properties: { spec: { type: 'object', properties: { list } } } };
    const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }];
    const crd = crdFor('g.test', 'bombs', 'Bomb', { versions });
    await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd);
    await api.engine.idle();
    const bombs = '/apis/g.test/v1/namespaces/default/bombs';
    const bomb = (length: number): Json => ({
      ...body('bomb'),
      kind: 'Bomb',
      spec: { list: Array.from({ length }, () => ({})) },
    });
    const refused = await call('POST', bombs, bomb(100_000));
    assert.equal(refused.code, 413);
    assert.match(String(refused.body['message']), /^request is too large: defaults would add more than 1572864 bytes/);
    const pod = { metadata: { name: 'p' }, spec: { containers: Array.from({ length: 100_000 }, () => ({})) } };
    assert.equal((await call('POST', '/api/v1/namespaces/default/pods', pod)).code, 413);
    assert.equal((await call('POST', bombs, bomb(100))).code, 201);
  });
});
