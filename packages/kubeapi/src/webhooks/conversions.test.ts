import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { part, textAt } from '../testing/json-caller.ts';
import { MERGE, startWebhookLab, type WebhookLab } from '../testing/webhook-lab.ts';
import { type RawHook, sendJson } from '../testing/webhook-server.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const V1 = '/apis/conv.test/v1/namespaces/default/things';
const V2 = '/apis/conv.test/v2/namespaces/default/things';
const APPLY = 'application/apply-patch+yaml';
const FROM_V1 = 'conversion webhook for conv.test/v1, Kind=Thing';

const record = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});
const list = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isJsonObject) : [];

/** What v1 calls `one`, v2 calls `two`. */
function converted(object: JsonObject, apiVersion: string): JsonObject {
  const { one, two, ...rest } = record(object['spec']);
  const value = one ?? two;
  const named = value === undefined ? {} : { [apiVersion.endsWith('v1') ? 'one' : 'two']: value };
  return { ...object, apiVersion, spec: { ...rest, ...named } };
}

/** Answers a ConversionReview; `change` may spoil the answer. */
const converting =
  (change: (answer: JsonObject, objects: readonly JsonObject[]) => JsonObject = (answer) => answer): RawHook =>
  (review, reply) => {
    const request = record(review['request']);
    const objects = list(request['objects']).map((o) => converted(o, String(request['desiredAPIVersion'])));
    const response = { uid: request['uid'], result: { status: 'Success' }, convertedObjects: objects };
    sendJson(reply, { ...review, request: undefined, ...change({ response }, objects) });
  };
const objectsAs = (change: (object: JsonObject) => Json) =>
  converting(({ response }, objects) => ({ response: { ...record(response), convertedObjects: objects.map(change) } }));

describe('a kind whose versions a webhook converts', () => {
  let lab: WebhookLab;
  before(async () => {
    lab = await startWebhookLab();
    const version = (name: string, field: string, storage: boolean): JsonObject => {
      const properties = {
        [field]: { type: 'string' },
        replicas: { type: 'integer' },
        preset: { type: 'string', default: 'p' },
      };
      const status = { type: 'object', properties: { ready: { type: 'boolean' } } };
      const openAPIV3Schema = { type: 'object', properties: { spec: { type: 'object', properties }, status } };
      const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' };
      return { name, served: true, storage, schema: { openAPIV3Schema }, subresources: { status: {}, scale } };
    };
    const webhook = { clientConfig: lab.hooks.clientConfig('/convert'), conversionReviewVersions: ['v1'] };
    const { code, message } = await lab.call('POST', CRDS, {
      metadata: { name: 'things.conv.test' },
      spec: {
        group: 'conv.test',
        scope: 'Namespaced',
        names: { plural: 'things', kind: 'Thing', singular: 'thing', listKind: 'ThingList' },
        versions: [version('v1', 'one', true), version('v2', 'two', false)],
        conversion: { strategy: 'Webhook', webhook },
      },
    });
    assert.equal(code, 201, message);
  });
  beforeEach(() => {
    lab.hooks.raw('/convert', converting());
    lab.hooks.forget();
  });
  after(() => lab[Symbol.asyncDispose]());

  const thing = (version: 'v1' | 'v2', name: string, spec: JsonObject): JsonObject => ({
    apiVersion: `conv.test/${version}`,
    kind: 'Thing',
    metadata: { name },
    spec,
  });
  const questions = () => lab.hooks.seen('/convert');
  const spec = ({ body }: { readonly body: JsonObject }) => body['spec'];

  it('is stored in one version and shown in each', async () => {
    const created = await lab.call('POST', V2, thing('v2', 'both', { two: 'x' }));
    assert.deepEqual(
      [created.code, created.body['apiVersion'], spec(created)],
      [201, 'conv.test/v2', { two: 'x', preset: 'p' }],
    );
    assert.equal(lab.api.engine.store.list('things.conv.test')[0]?.apiVersion, 'conv.test/v1');
    assert.deepEqual(spec(await lab.call('GET', `${V1}/both`)), { one: 'x', preset: 'p' });
    assert.deepEqual(spec(await lab.call('GET', `${V2}/both`)), { two: 'x', preset: 'p' });
    const [question] = questions();
    assert.equal(question?.['desiredAPIVersion'], 'conv.test/v1');
    assert.equal(part(list(question?.['objects'])[0], 'spec', 'two'), 'x');
  });

  it('does not bother the webhook in its stored version, and once only for each object in another', async () => {
    await lab.call('POST', V1, thing('v1', 'once', { one: 'x' }));
    await lab.call('GET', `${V1}/once`);
    await lab.call('PATCH', `${V1}/once`, { spec: { one: 'y' } }, MERGE);
    assert.equal(questions().length, 0);
    await Promise.all([1, 2, 3].map(() => lab.call('GET', `${V2}/once`)));
    assert.equal(questions().length, 1);
    await lab.call('GET', `${V2}/once`);
    assert.equal(questions().length, 1);
  });

  it('is changed through every endpoint in a version that is not stored', async () => {
    await lab.call('POST', V1, thing('v1', 'changed', { one: 'a' }));
    const path = `${V2}/changed`;
    assert.deepEqual(spec(await lab.call('PATCH', path, { spec: { two: 'b' } }, MERGE)), { two: 'b', preset: 'p' });
    const present = (await lab.call('GET', path)).body;
    const put = await lab.call('PUT', path, { ...present, spec: { two: 'c' } });
    assert.deepEqual([put.code, spec(put)], [200, { two: 'c', preset: 'p' }]);
    const applied = thing('v2', 'changed', { two: 'd' });
    const apply = await lab.call('PATCH', `${path}?fieldManager=m&force=true`, applied, APPLY);
    assert.deepEqual([apply.code, spec(apply)], [200, { two: 'd', preset: 'p' }]);
    const status = await lab.call('PATCH', `${path}/status`, { status: { ready: true } }, MERGE);
    assert.deepEqual([status.code, status.body['status']], [200, { ready: true }]);
    const scale = await lab.call('PATCH', `${path}/scale`, { spec: { replicas: 3 } }, MERGE);
    assert.deepEqual([scale.code, part(scale.body, 'spec', 'replicas')], [200, 3]);
    const stored = await lab.call('GET', `${V1}/changed`);
    assert.deepEqual([spec(stored), stored.body['status']], [{ one: 'd', preset: 'p', replicas: 3 }, { ready: true }]);
    assert.equal(part(stored.body, 'metadata', 'generation'), 5);
    assert.equal((await lab.call('DELETE', path)).code, 200);
  });

  it('knows who owns a field in the version in which each manager wrote', async () => {
    await lab.call('POST', V1, thing('v1', 'owned', { one: 'a', replicas: 1 }));
    await lab.call('PATCH', `${V2}/owned`, { spec: { two: 'b' } }, MERGE);
    const fieldsBy = async (): Promise<readonly Json[]> => {
      const { body } = await lab.call('GET', `${V1}/owned`);
      return list(part(body, 'metadata', 'managedFields')).map((entry) => [
        entry['apiVersion'] ?? '',
        Object.keys(record(part(entry, 'fieldsV1', 'f:spec')))
          .filter((key) => key !== '.')
          .sort(),
      ]);
    };
    assert.deepEqual(await fieldsBy(), [
      ['conv.test/v1', ['f:preset', 'f:replicas']],
      ['conv.test/v2', ['f:two']],
    ]);
    await lab.call('PATCH', `${V1}/owned`, { spec: { one: 'c' } }, MERGE);
    assert.deepEqual(await fieldsBy(), [['conv.test/v1', ['f:one', 'f:preset', 'f:replicas']]]);
    const applied = thing('v2', 'owned', { two: 'd' });
    const conflict = await lab.call('PATCH', `${V2}/owned?fieldManager=m`, applied, APPLY);
    assert.deepEqual(
      [conflict.code, conflict.message],
      [409, 'Apply failed with 1 conflict: conflict with "test" using conv.test/v1: .spec.one'],
    );
  });

  it('is not written when nothing changes', async () => {
    await lab.call('POST', V2, thing('v2', 'same', { two: 'x' }));
    const { revision } = lab.api.engine.store;
    assert.equal((await lab.call('PATCH', `${V2}/same`, { spec: { two: 'x' } }, MERGE)).code, 200);
    assert.equal(lab.api.engine.store.revision, revision);
  });

  it('is listed with one question', async () => {
    await lab.call('DELETE', V1);
    lab.hooks.forget();
    for (const name of ['l1', 'l2', 'l3']) await lab.call('POST', V1, thing('v1', name, { one: name }));
    const { body } = await lab.call('GET', V2);
    assert.deepEqual(
      list(body['items']).map((item) => part(item, 'spec', 'two')),
      ['l1', 'l2', 'l3'],
    );
    assert.deepEqual(
      questions().map((q) => list(q['objects']).length),
      [3],
    );
  });

  it('is watched in order', async () => {
    await lab.call('DELETE', V1);
    const end = new AbortController();
    const answer = await lab.api.open({ path: `${V2}?watch=1`, signal: end.signal });
    const { body } = answer;
    assert.ok(typeof body === 'object' && Symbol.asyncIterator in body);
    const seen: string[] = [];
    const reading = (async () => {
      let text = '';
      for await (const piece of body) {
        text += new TextDecoder().decode(piece);
        const lines = text.split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) {
          const event = JSON.parse(line);
          seen.push(`${event.type} ${event.object.spec.two}`);
        }
        if (seen.length >= 5) end.abort();
      }
    })();
    await lab.call('POST', V1, thing('v1', 'w', { one: 'a' }));
    for (const value of ['b', 'c']) await lab.call('PATCH', `${V1}/w`, { spec: { one: value } }, MERGE);
    await lab.call('PATCH', `${V2}/w`, { spec: { two: 'd' } }, MERGE);
    await lab.call('DELETE', `${V1}/w`);
    await reading;
    assert.deepEqual(seen, ['ADDED a', 'MODIFIED b', 'MODIFIED c', 'MODIFIED d', 'DELETED d']);
  });

  it('may get other labels and annotations, but no other metadata', async () => {
    await lab.call('POST', V1, thing('v1', 'meta', { one: 'x' }));
    lab.hooks.raw(
      '/convert',
      objectsAs((object) => ({
        ...object,
        metadata: {
          ...record(object['metadata']),
          labels: { l: 'v' },
          annotations: { a: 'b' },
          finalizers: ['x.y/z'],
          generation: 9,
        },
      })),
    );
    const { metadata } = (await lab.call('GET', `${V2}/meta`)).body;
    assert.deepEqual(
      ['labels', 'annotations', 'finalizers', 'generation'].map((field) => part(metadata, field)),
      [{ l: 'v' }, { a: 'b' }, undefined, 1],
    );
  });

  it('is pruned after its conversion, and shown though its schema would refuse it', async () => {
    await lab.call('POST', V1, thing('v1', 'odd', { one: 'x' }));
    lab.hooks.raw(
      '/convert',
      objectsAs((object) => ({ ...object, spec: { two: 5, zork: 1 } })),
    );
    assert.deepEqual(spec(await lab.call('GET', `${V2}/odd`)), { two: 5 });
  });

  const failures: [name: string, hook: RawHook, message: string][] = [
    [
      'a failure',
      converting(({ response }) => ({
        response: { ...record(response), result: { status: 'Failure', message: 'no way' } },
      })),
      `${FROM_V1} failed: no way`,
    ],
    [
      'no result',
      converting(({ response }) => ({ response: { ...record(response), result: undefined } })),
      `${FROM_V1} failed: response.result.status was '', not 'Success'`,
    ],
    ['no response', converting(() => ({})), `${FROM_V1} failed: no response provided`],
    [
      'no kind',
      converting((answer) => ({ ...answer, kind: undefined, apiVersion: undefined })),
      `${FROM_V1} failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got /, Kind=`,
    ],
    [
      'too few objects',
      converting(({ response }) => ({ response: { ...record(response), convertedObjects: [] } })),
      `${FROM_V1} returned 0 objects, expected 1`,
    ],
    [
      'another version',
      objectsAs((object) => ({ ...object, apiVersion: 'conv.test/v9' })),
      `${FROM_V1} returned invalid object at index 0: invalid groupVersion (expected conv.test/v2, received conv.test/v9)`,
    ],
    [
      'another kind',
      objectsAs((object) => ({ ...object, kind: 'Other' })),
      `${FROM_V1} returned invalid object at index 0: invalid kind (expected Thing, received Other)`,
    ],
    [
      'another name',
      objectsAs((object) => ({ ...object, metadata: { ...record(object['metadata']), name: 'zz' } })),
      `${FROM_V1} returned invalid object: must have the same name: fails != zz`,
    ],
    [
      'no metadata',
      objectsAs(({ metadata: _, ...object }) => object),
      `${FROM_V1} returned invalid object: must have the same name: fails != `,
    ],
    [
      'a label that is none',
      objectsAs((object) => ({ ...object, metadata: { ...record(object['metadata']), labels: { l: 5 } } })),
      `${FROM_V1} returned invalid metadata: metadata.labels[l] must be a string in converted object`,
    ],
    ['no objects', objectsAs(() => 5), `${FROM_V1} returned invalid object at index 0: it is no object`],
    [
      'an error',
      (_, reply) => reply.writeHead(500).end('oops'),
      `${FROM_V1} failed: an error on the server ("oops") has prevented the request from succeeding`,
    ],
  ];
  for (const [name, hook, message] of failures) {
    it(`answers 500 where the webhook answers with ${name}; nothing is kept of it`, async () => {
      await lab.call('POST', V1, thing('v1', 'fails', { one: 'x' }));
      lab.hooks.raw('/convert', hook);
      const answer = await lab.call('GET', `${V2}/fails`);
      assert.deepEqual([answer.code, answer.message], [500, message]);
      const { revision } = lab.api.engine.store;
      assert.equal((await lab.call('POST', V2, thing('v2', 'never', { two: 'x' }))).code, 500);
      assert.equal((await lab.call('PATCH', `${V2}/fails`, { spec: { two: 'y' } }, MERGE)).code, 500);
      assert.equal((await lab.call('GET', V2)).code, 500);
      assert.equal(lab.api.engine.store.revision, revision);
      lab.hooks.raw('/convert', converting());
      assert.deepEqual(spec(await lab.call('GET', `${V2}/fails`)), { two: 'x', preset: 'p' });
      assert.equal((await lab.call('DELETE', `${V1}/fails`)).code, 200);
    });
  }

  it('changes while the webhook thinks: the patch is made anew', async () => {
    await lab.call('POST', V1, thing('v1', 'race', { one: 'x', replicas: 1 }));
    let first = true;
    const answer = converting();
    lab.hooks.raw('/convert', (review, reply, request) => {
      if (!first) return answer(review, reply, request);
      first = false;
      lab.call('PATCH', `${V1}/race`, { spec: { replicas: 2 } }, MERGE).then(() => answer(review, reply, request));
    });
    const { code, body } = await lab.call('PATCH', `${V2}/race`, { spec: { two: 'y' } }, MERGE);
    assert.deepEqual([code, body['spec']], [200, { two: 'y', replicas: 2, preset: 'p' }]);
  });

  it('is converted for admission webhooks that ask for the other version', async () => {
    lab.hooks.on('/see', ({ object }) => ({ allowed: textAt(object, 'spec', 'two') === 'x' }));
    const rules = [{ operations: ['CREATE'], apiGroups: ['conv.test'], apiVersions: ['v2'], resources: ['things'] }];
    await lab.configure('validating', [lab.hook('/see', { rules })]);
    assert.equal((await lab.call('POST', V1, thing('v1', 'seen', { one: 'x' }))).code, 201);
    assert.equal((await lab.call('POST', V1, thing('v1', 'unseen', { one: 'y' }))).code, 400);
    await lab.reset();
  });
});
