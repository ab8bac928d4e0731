import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isJsonObject, type JsonObject, parseJson } from '@bloomery/model';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { crdFor, jsonCaller, part } from '../testing/json-caller.ts';
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
  const piecesOf = async (query: string): Promise<AsyncGenerator<Uint8Array>> => {
    const { body } = await api.open({ path: `${MAPS}?watch=1&${query}` });
    assert.ok(typeof body === 'object' && Symbol.asyncIterator in body);
    return body as AsyncGenerator<Uint8Array>;
  };
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

  it('marks the end of its initial events in every shape, for those who take bookmarks', async () => {
    await create('initial');
    const query = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&fieldSelector=metadata.name%3Dinitial';
    const shapes: [accept: string, kind: string, path: readonly (string | number)[]][] = [
      ['application/json', 'ConfigMap', ['metadata', 'annotations']],
      [
        'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
        'PartialObjectMetadata',
        ['metadata', 'annotations'],
      ],
      [TABLE, 'Table', ['rows', 0, 'object', 'metadata', 'annotations']],
    ];
    for (const [accept, kind, path] of shapes) {
      const texts = await open(`${query}&allowWatchBookmarks=true`, { accept });
      assert.equal((await objectOf(texts))['kind'], kind);
      const mark = await eventOf(texts);
      assert.equal(mark?.['type'], 'BOOKMARK');
      const found = path.reduce<unknown>((value, name) => Reflect.get(Object(value), name), mark['object']);
      assert.deepEqual(found, { 'k8s.io/initial-events-end': 'true' }, accept);
      await texts.return(undefined);
    }
    const unmarked = await open(query);
    assert.equal((await eventOf(unmarked))?.['type'], 'ADDED');
    const next = eventOf(unmarked);
    await api.call({
      method: 'PATCH',
      path: `${MAPS}/initial`,
      headers: { 'content-type': 'application/merge-patch+json' },
      body: '{"data":{"a":"b"}}',
    });
    assert.equal((await next)?.['type'], 'MODIFIED');
    await unmarked.return(undefined);
  });

  it('starts with the next change when it wants no initial events', async () => {
    const texts = await open('sendInitialEvents=false&resourceVersionMatch=NotOlderThan');
    const first = objectOf(texts);
    await create('next-1');
    assert.equal(part(await first, 'metadata', 'name'), 'next-1');
    await texts.return(undefined);
  });

  it('is there for one object by its old path, and a get of an object is never one', async () => {
    await create('single');
    const path = '/api/v1/watch/namespaces/default/configmaps/single';
    const texts = linesOf(await api.open({ path }));
    assert.equal(part(await objectOf(texts), 'metadata', 'name'), 'single');
    const next = eventOf(texts);
    await create('another');
    await api.call({ method: 'DELETE', path: `${MAPS}/single`, headers: {}, body: undefined });
    assert.equal((await next)?.['type'], 'DELETED');
    await texts.return(undefined);
    const { code, body } = await api.call({
      method: 'GET',
      path: `${MAPS}/another?watch=1`,
      headers: {},
      body: undefined,
    });
    assert.deepEqual([code, /"kind":"ConfigMap"/.test(body)], [200, true]);
  });

  it('lives between 30 and 60 minutes when nobody says how long, with a bookmark every minute', async () => {
    const texts = await open(`allowWatchBookmarks=true&resourceVersion=${api.engine.store.revision}`);
    let minutes = 0;
    let marks = 0;
    let ended = false;
    const reading = (async () => {
      for await (const line of texts) if (line.startsWith('{"type":"BOOKMARK"')) marks += 1;
      ended = true;
    })();
    while (!ended && minutes < 70) {
      await clock.advance(60_000);
      await nextTurn();
      minutes += 1;
    }
    await reading;
    assert.ok(minutes >= 30 && minutes <= 61, `${minutes} minutes`);
    assert.ok(marks >= minutes - 1, `${marks} bookmarks in ${minutes} minutes`);
  });

  it('hands the same bytes to all who watch the same version', async () => {
    const query = `resourceVersion=${api.engine.store.revision}`;
    const [one, two] = [await piecesOf(query), await piecesOf(query)];
    const both = [one.next(), two.next()];
    await create('shared');
    const [first, second] = (await Promise.all(both)).map(({ value }) => value);
    assert.ok(first instanceof Uint8Array && first === second);
    await Promise.all([one.return(undefined), two.return(undefined)]);
  });

  it('joins what is there together into few pieces', async () => {
    const from = api.engine.store.revision;
    for (let i = 0; i < 40; i++) await create(`joined-${i}`);
    const pieces = await piecesOf(`resourceVersion=${from}`);
    const { value } = await pieces.next();
    assert.equal(
      Buffer.from(value ?? [])
        .toString()
        .split('\n').length,
      41,
    );
    await pieces.return(undefined);
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

  it('ends when its definition changes, and cannot be begun again at a version that is no longer served', async () => {
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const schema = { openAPIV3Schema: { type: 'object' } };
    const versions = (second: boolean) => [
      { name: 'v1', served: true, storage: true, schema },
      { name: 'v2', served: second, storage: false, schema },
    ];
    const call = jsonCaller(api);
    await call('POST', crds, crdFor('two.test', 'pairs', 'Pair', { versions: versions(true) }));
    const watch = (version: string) => api.open({ path: `/apis/two.test/${version}/pairs?watch=1` });
    const ends = [eventOf(linesOf(await watch('v1'))), eventOf(linesOf(await watch('v2')))];
    const change = { spec: { versions: versions(false) } };
    assert.equal((await call('PATCH', `${crds}/pairs.two.test`, change, 'application/merge-patch+json')).code, 200);
    // Those of the other version end too, as upstream: their objects may have another shape now.
    assert.deepEqual(await Promise.all(ends), [undefined, undefined]);
    assert.deepEqual([(await watch('v1')).status, (await watch('v2')).status], [200, 404]);
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
