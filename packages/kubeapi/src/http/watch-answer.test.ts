import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isJsonObject, type JsonObject, parseJson } from '@bloomery/model';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import type { ApiAnswer } from './api-request.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const clock = createFakeClock(Date.parse('2026-01-01T00:00:00Z'));

function linesOf(answer: ApiAnswer): AsyncGenerator<string> {
  assert.ok(typeof answer.body === 'object' && Symbol.asyncIterator in answer.body, `${answer.status} is no stream`);
  return linesIn(answer.body);
}

async function* linesIn(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  for await (const piece of pieces) {
    for (const line of Buffer.from(piece).toString().split('\n').slice(0, -1)) yield line;
  }
}

async function eventOf(texts: AsyncIterator<string>): Promise<JsonObject | undefined> {
  const { value, done } = await texts.next();
  if (done === true) return undefined;
  const event = parseJson(value);
  assert.ok(isJsonObject(event));
  return event;
}

async function objectOf(texts: AsyncIterator<string>): Promise<JsonObject> {
  const object = (await eventOf(texts))?.['object'];
  assert.ok(isJsonObject(object));
  return object;
}

describe('a watch over HTTP', () => {
  let api: TestApi;
  const json = { 'content-type': 'application/json' };
  const create = (name: string) =>
    api.call({ method: 'POST', path: MAPS, headers: json, body: JSON.stringify({ metadata: { name } }) });
  const open = async (query: string, headers = {}) =>
    linesOf(await api.open({ path: `${MAPS}?watch=1&${query}`, headers }));
  before(async () => {
    api = await startTestApi([], silentLog, { clock, keepRevisions: 50, keepMs: 0 });
  });
  after(() => api[Symbol.asyncDispose]());

  it('ends cleanly after timeoutSeconds, with a bookmark before', async () => {
    const texts = await open(`timeoutSeconds=10&allowWatchBookmarks=true&resourceVersion=${api.engine.store.revision}`);
    const bookmark = eventOf(texts);
    await clock.advance(8000);
    assert.equal((await bookmark)?.['type'], 'BOOKMARK');
    const end = eventOf(texts);
    await clock.advance(2000);
    assert.equal(await end, undefined);
    assert.equal(api.engine.hub.size, 0);
  });

  it('takes timeoutSeconds=0 for no wish', async () => {
    const texts = await open(`timeoutSeconds=0&resourceVersion=${api.engine.store.revision}`);
    const first = eventOf(texts);
    await clock.advance(5000);
    await create('zero');
    assert.equal((await first)?.['type'], 'ADDED');
    await texts.return?.(undefined);
  });

  it('shows rows of a Table, with the columns in the first', async () => {
    const texts = await open(`resourceVersion=${api.engine.store.revision}`, { accept: TABLE });
    const first = objectOf(texts);
    await create('t1');
    const { kind, columnDefinitions, rows } = await first;
    assert.equal(kind, 'Table');
    assert.ok(Array.isArray(columnDefinitions) && columnDefinitions.length === 3);
    assert.ok(Array.isArray(rows) && rows.length === 1);
    const second = objectOf(texts);
    await create('t2');
    assert.ok((await second)['columnDefinitions'] === undefined || (await second)['columnDefinitions'] === null);
    await texts.return?.(undefined);
  });

  it('says 410 in the stream when its start is compacted', async () => {
    for (let i = 0; i < 200; i++) await create(`many-${i}`);
    const texts = await open('resourceVersion=1');
    const event = await eventOf(texts);
    assert.equal(event?.['type'], 'ERROR');
    assert.ok(isJsonObject(event['object']));
    assert.deepEqual([event['object']['code'], event['object']['reason']], [410, 'Expired']);
    assert.equal(await eventOf(texts), undefined);
  });

  it('waits for a revision that is about to come, and says 504 when it does not', async () => {
    const soon = await open(`resourceVersion=${api.engine.store.revision + 1}`);
    const first = eventOf(soon);
    await create('soon-1');
    await create('soon-2');
    const object = (await first)?.['object'];
    assert.ok(isJsonObject(object) && isJsonObject(object['metadata']));
    assert.equal(object['metadata']['name'], 'soon-2');
    await soon.return?.(undefined);

    const never = objectOf(await open('resourceVersion=999999'));
    await clock.advance(3000);
    assert.equal((await never)['code'], 504);
    const list = api.call({ method: 'GET', path: `${MAPS}?resourceVersion=999999`, headers: {}, body: undefined });
    await clock.advance(3000);
    assert.equal((await list).code, 504);
  });

  it('ends when its kind is no longer served', async () => {
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const crd = {
      metadata: { name: 'things.g.test' },
      spec: {
        group: 'g.test',
        scope: 'Namespaced',
        names: { plural: 'things', kind: 'Thing' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    };
    await api.call({ method: 'POST', path: crds, headers: json, body: JSON.stringify(crd) });
    const texts = linesOf(await api.open({ path: '/apis/g.test/v1/things?watch=true' }));
    const end = eventOf(texts);
    await api.call({ method: 'DELETE', path: `${crds}/things.g.test`, headers: {}, body: undefined });
    await api.engine.idle();
    assert.equal(await end, undefined);
  });

  it('goes on with an expired list where its token says, with what is there now', async () => {
    const page = await api.call({ method: 'GET', path: `${MAPS}?limit=5`, headers: {}, body: undefined });
    const { continue: token } = metadataOf(page.body);
    for (let i = 0; i < 100; i++) await create(`later-${i}`);
    const path = `${MAPS}?limit=5&continue=${String(token)}`;
    const expired = await api.call({ method: 'GET', path, headers: {}, body: undefined });
    assert.equal(expired.code, 410);
    const next = `${MAPS}?limit=5&continue=${String(metadataOf(expired.body)['continue'])}`;
    const rest = await api.call({ method: 'GET', path: next, headers: {}, body: undefined });
    assert.equal(rest.code, 200);
    assert.equal(metadataOf(rest.body)['resourceVersion'], String(api.engine.store.revision));
  });
});

function metadataOf(text: string): JsonObject {
  const body = parseJson(text);
  assert.ok(isJsonObject(body) && isJsonObject(body['metadata']));
  return body['metadata'];
}
