import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isJsonObject, type JsonObject, parseJson } from '@bloomery/model';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { crdFor, jsonCaller } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import type { ApiAnswer } from './api-request.ts';

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const PROTOBUF = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

describe('discovery and OpenAPI over HTTP', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi([], silentLog, { clock: createFakeClock(Date.parse('2026-01-01T00:00:00Z')) });
  });
  after(() => api[Symbol.asyncDispose]());

  const get = (path: string, headers: Record<string, string> = {}): Promise<ApiAnswer> => api.open({ path, headers });
  const jsonOf = ({ body }: ApiAnswer): JsonObject => {
    const value = typeof body === 'string' ? parseJson(body) : undefined;
    assert.ok(isJsonObject(value));
    return value;
  };

  const kinds: [path: string, accept: string, type: string, kind: string | undefined][] = [
    ['/api', '*/*', 'application/json', 'APIVersions'],
    ['/api/', 'application/json', 'application/json', 'APIVersions'],
    ['/apis', 'application/json', 'application/json', 'APIGroupList'],
    ['/apis', `${AGGREGATED},application/json`, AGGREGATED, 'APIGroupDiscoveryList'],
    ['/api', `${AGGREGATED.replace('v=v2', 'v=v2beta1')},${AGGREGATED}`, AGGREGATED, 'APIGroupDiscoveryList'],
    ['/api', `${AGGREGATED.replace('v=v2', 'v=v2beta1')},application/json`, 'application/json', 'APIVersions'],
    ['/apis/coordination.k8s.io', '*/*', 'application/json', 'APIGroup'],
    ['/apis/coordination.k8s.io/v1', '*/*', 'application/json', 'APIResourceList'],
    ['/api/v1', '*/*', 'application/json', 'APIResourceList'],
    ['/openapi/v2', 'application/json', 'application/json', undefined],
    ['/openapi/v3', '*/*', 'application/json', undefined],
  ];
  for (const [path, accept, type, kind] of kinds) {
    it(`${path} for ${accept.slice(0, 60)} is ${kind ?? 'a document'}`, async () => {
      const answer = await get(path, { accept });
      assert.deepEqual([answer.status, answer.headers['content-type'], jsonOf(answer)['kind']], [200, type, kind]);
    });
  }

  it('answers in YAML who asks for it', async () => {
    const answer = await get('/api', { accept: 'application/yaml' });
    assert.equal(answer.headers['content-type'], 'application/yaml');
    assert.match(String(answer.body), /^kind: APIVersions\nversions:\n/);
  });

  it('gives the protobuf form of OpenAPI v2, with a dot in its type', async () => {
    const answer = await get('/openapi/v2', { accept: PROTOBUF });
    assert.equal(answer.headers['content-type'], PROTOBUF.replace('@', '.'));
    assert.ok(answer.body instanceof Uint8Array && answer.body.length > 1000);
  });

  it('names its documents by an ETag and does not send what the caller has', async () => {
    for (const path of ['/api', '/apis', '/api/v1', '/openapi/v2', '/openapi/v3', '/openapi/v3/api/v1']) {
      const first = await get(path);
      const { etag } = first.headers;
      assert.ok(typeof etag === 'string' && /^"[0-9A-F]{32}"$/.test(etag), path);
      const again = await get(path, { 'if-none-match': etag });
      assert.deepEqual([again.status, again.body, again.headers['etag']], [304, '', etag], path);
      assert.equal((await get(path, { 'if-none-match': '"other"' })).status, 200, path);
    }
  });

  it('lets documents be kept that are asked for by their hash, and leads an old hash to the new one', async () => {
    const paths = jsonOf(await get('/openapi/v3'))['paths'];
    const entry = isJsonObject(paths) ? paths['api/v1'] : undefined;
    const url = isJsonObject(entry) ? String(entry['serverRelativeURL']) : '';
    const kept = await get(url);
    assert.deepEqual(
      [kept.status, kept.headers['cache-control'], kept.headers['expires']],
      [200, 'public, immutable', 'Fri, 01 Jan 2027 00:00:00 GMT'],
    );
    const old = await get('/openapi/v3/api/v1?hash=0123');
    assert.deepEqual([old.status, old.headers['location']], [301, url]);
    assert.equal((await get('/openapi/v3/api/v1')).headers['cache-control'], 'no-cache, private');
  });

  it('follows every change of a definition at once', async () => {
    const call = jsonCaller(api);
    const etagOf = async (path: string) => (await get(path, { accept: '*/*' })).headers['etag'];
    const before = [await etagOf('/apis'), await etagOf('/openapi/v2')];
    assert.equal((await get('/apis/new.test')).status, 404);
    await call('POST', CRDS, crdFor('new.test', 'things', 'Thing'));
    const list = jsonOf(await get('/apis/new.test/v1'));
    assert.deepEqual(Array.isArray(list['resources']) && list['resources'].map((r) => isJsonObject(r) && r['name']), [
      'things',
    ]);
    assert.equal((await get('/openapi/v3/apis/new.test/v1')).status, 200);
    assert.notDeepEqual([await etagOf('/apis'), await etagOf('/openapi/v2')], before);
    await call('DELETE', `${CRDS}/things.new.test`);
    await api.engine.idle();
    assert.equal((await get('/apis/new.test')).status, 404);
  });

  it('lists at / what there is to ask for', async () => {
    const { paths } = jsonOf(await get('/'));
    assert.ok(Array.isArray(paths));
    for (const path of ['/api/v1', '/apis/coordination.k8s.io/v1', '/openapi/v2', '/readyz', '/version'])
      assert.ok(paths.includes(path), path);
  });

  it('tells its version and its platform at /version, readably for people', async () => {
    const answer = await get('/version');
    const { gitVersion, major, minor, platform } = jsonOf(answer);
    assert.deepEqual([gitVersion, major, minor], ['v1.34.4+bloomery-0.0.0', '1', '34']);
    assert.match(String(platform), /^linux\/(?:amd64|arm64)$/);
    assert.match(String(answer.body), /^\{\n {2}"major"/);
  });
});
