import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { isJsonObject, type JsonObject, parseJson } from '@bloomery/model';
import { jsonCaller, part } from '../testing/json-caller.ts';
import { startTestListener, type TestListener } from '../testing/test-listener.ts';
import { isListPieces } from './api-request.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const COUNT = 300;
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const METADATA = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';

describe('a large list', () => {
  let listener: TestListener;
  before(async () => {
    listener = await startTestListener();
    const call = jsonCaller(listener.api);
    const data = { text: 'x'.repeat(4000) };
    for (let i = 0; i < COUNT; i++)
      await call('POST', MAPS, { metadata: { name: `m-${i}`, labels: { big: 'yes' } }, data });
  });
  after(() => listener[Symbol.asyncDispose]());

  async function bodyOf(path: string, headers: Record<string, string> = {}): Promise<JsonObject> {
    const answer = await listener.call('GET', path, { identity: listener.admin, headers });
    assert.equal(answer.code, 200);
    const value = parseJson(answer.body);
    assert.ok(isJsonObject(value));
    return value;
  }
  const countOf = (body: JsonObject, field: string): number => {
    const items = body[field];
    return Array.isArray(items) ? items.length : -1;
  };

  it('is made piece by piece while it is sent', async () => {
    const { body, headers } = await listener.api.open({ path: MAPS });
    assert.ok(isListPieces(body));
    assert.equal(headers['content-length'], undefined);
    const pieces = [...body.pieces];
    assert.ok(pieces.length >= 8, `${pieces.length} pieces`);
    assert.ok(pieces.every((piece) => piece.length <= 160 * 1024));
    const list = parseJson(Buffer.concat(pieces).toString());
    assert.equal(countOf(list as JsonObject, 'items'), COUNT);
  });

  it('is whole over HTTP/1.1 and HTTP/2, compressed or not, in every shape', async () => {
    assert.equal(countOf(await bodyOf(MAPS), 'items'), COUNT);
    assert.equal(countOf(await bodyOf(`${MAPS}?includeObject=Object`, { accept: TABLE }), 'rows'), COUNT);
    const metadata = await bodyOf(MAPS, { accept: METADATA });
    assert.deepEqual([metadata['kind'], countOf(metadata, 'items')], ['PartialObjectMetadataList', COUNT]);
    assert.equal(countOf(await bodyOf(`${MAPS}?pretty=1`), 'items'), COUNT);

    const session = listener.session(listener.admin);
    const stream = session.request({ ':path': MAPS, 'accept-encoding': 'gzip' });
    const chunks: Buffer[] = [];
    let encoding: unknown;
    stream.once('response', (headers) => {
      encoding = headers['content-encoding'];
    });
    for await (const chunk of stream) chunks.push(chunk);
    session.close();
    assert.equal(encoding, 'gzip');
    const packed = Buffer.concat(chunks);
    assert.ok(packed.length < 200_000, `${packed.length} bytes`);
    assert.equal(countOf(parseJson(gunzipSync(packed).toString()) as JsonObject, 'items'), COUNT);
  });

  it('is the list at the time of its request, whatever is written while it is sent', async () => {
    const { body } = await listener.api.open({ path: `${MAPS}?labelSelector=big%3Dyes` });
    assert.ok(isListPieces(body));
    const pieces = body.pieces[Symbol.iterator]();
    const sent: Uint8Array[] = [pieces.next().value ?? new Uint8Array()];
    const call = jsonCaller(listener.api);
    await call('PATCH', `${MAPS}/m-99`, { metadata: { labels: { big: 'no' } } }, 'application/merge-patch+json');
    for (let next = pieces.next(); next.done !== true; next = pieces.next()) sent.push(next.value);
    const text = Buffer.concat(sent).toString();
    assert.ok(!text.includes('"big":"no"'));
    assert.equal(countOf(parseJson(text) as JsonObject, 'items'), COUNT);
    assert.equal(countOf(await bodyOf(`${MAPS}?labelSelector=big%3Dyes`), 'items'), COUNT - 1);
  });

  it('comes in pages that all show one state', async () => {
    const names: unknown[] = [];
    const revisions = new Set<unknown>();
    let token = '';
    let left: unknown;
    do {
      const page = await bodyOf(`${MAPS}?limit=70${token === '' ? '' : `&continue=${token}`}`);
      const items = Array.isArray(page['items']) ? page['items'] : [];
      names.push(...items.map((item) => part(item, 'metadata', 'name')));
      revisions.add(part(page, 'metadata', 'resourceVersion'));
      token = String(part(page, 'metadata', 'continue') ?? '');
      left = part(page, 'metadata', 'remainingItemCount');
      assert.equal(left, token === '' ? undefined : COUNT - names.length);
      if (names.length === 70) await jsonCaller(listener.api)('DELETE', `${MAPS}/m-98`);
    } while (token !== '');
    assert.deepEqual([new Set(names).size, revisions.size], [COUNT, 1]);
  });

  it('can be deleted in part: limit and selector say which', async () => {
    const call = jsonCaller(listener.api);
    const gone = await call('DELETE', `${MAPS}?limit=5&labelSelector=big%3Dyes`);
    assert.deepEqual([gone.code, gone.body['kind'], countOf(gone.body, 'items')], [200, 'ConfigMapList', 5]);
    assert.ok(typeof part(gone.body, 'metadata', 'continue') === 'string');
    const dry = await call('DELETE', `${MAPS}?dryRun=All`);
    const all = await call('DELETE', MAPS);
    assert.equal(countOf(dry.body, 'items'), countOf(all.body, 'items'));
    assert.deepEqual((await call('GET', MAPS)).body['items'], []);
  });

  it('keeps characters of every width, however long the objects are', async () => {
    const call = jsonCaller(listener.api);
    const texts = ['a', '\u00e9', '\u20ac', '\u{1f600}'].map((character) => character.repeat(80_000));
    for (const [i, text] of texts.entries()) await call('POST', MAPS, { metadata: { name: `w-${i}` }, data: { text } });
    const { items } = await bodyOf(MAPS);
    assert.ok(Array.isArray(items));
    assert.deepEqual(
      items.map(
        (item) => part(item, 'data', 'text') === texts[Number(String(part(item, 'metadata', 'name')).slice(2))],
      ),
      [true, true, true, true],
    );
  });
});
