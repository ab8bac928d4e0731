import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { allKinds, type Json, type JsonObject } from '@bloomery/model';
import { crdFor, type JsonCaller, jsonCaller, part, textAt } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const THINGS = '/apis/g.test/v1/namespaces/default/things';
const OLD_THINGS = '/apis/g.test/v1beta1/namespaces/default/things';
const PLAIN = '/apis/g.test/v1/namespaces/default/plains';
const SERVERS = '/apis/metal.sidero.dev/v1alpha2/servers';
const OLD_SERVERS = '/apis/metal.sidero.dev/v1alpha1/servers';
const MERGE = 'application/merge-patch+json';

const MERGE_OR_NONE: Readonly<Record<string, string>> = { PATCH: MERGE };

const openAPIV3Schema = {
  type: 'object',
  properties: {
    spec: { type: 'object', properties: { size: { type: 'integer' } } },
    status: { type: 'object', properties: { ready: { type: 'boolean' } } },
  },
};

describe('writes', () => {
  let api: TestApi;
  let call: JsonCaller;
  before(async () => {
    api = await startTestApi(allKinds);
    call = jsonCaller(api);
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const schema = { openAPIV3Schema };
    const subresources = { status: {} };
    const versions = [
      { name: 'v1beta1', served: true, storage: false, schema, subresources },
      { name: 'v1', served: true, storage: true, schema, subresources },
    ];
    await call('POST', crds, crdFor('g.test', 'things', 'Thing', { versions }));
    const plain = [{ name: 'v1', served: true, storage: true, schema }];
    await call('POST', crds, crdFor('g.test', 'plains', 'Plain', { versions: plain }));
  });
  after(() => api[Symbol.asyncDispose]());

  const thing = (name: string, fields: JsonObject = {}, kind = 'Thing', version = 'v1'): JsonObject => ({
    apiVersion: `g.test/${version}`,
    kind,
    metadata: { name },
    ...fields,
  });
  const versionOf = (body: Json): string => textAt(body, 'metadata', 'resourceVersion');
  const meta = async (path: string): Promise<Json | undefined> => part((await call('GET', path)).body, 'metadata');

  describe('of nothing new', () => {
    const noops: [name: string, method: string, body: (present: JsonObject) => Json, type?: string][] = [
      ['a PUT of what is there', 'PUT', (present) => present],
      ['a merge patch of the same value', 'PATCH', () => ({ data: { a: '1' } }), MERGE],
      ['an empty merge patch', 'PATCH', () => ({}), MERGE],
      [
        'a JSON patch that tests',
        'PATCH',
        () => [{ op: 'test', path: '/data/a', value: '1' }],
        'application/json-patch+json',
      ],
      [
        'a strategic patch of the same value',
        'PATCH',
        () => ({ data: { a: '1' } }),
        'application/strategic-merge-patch+json',
      ],
    ];
    for (const [i, [name, method, body, type]] of noops.entries()) {
      it(`leave revision and watchers alone: ${name}`, async () => {
        const path = `${MAPS}/noop-${i}`;
        await call('POST', MAPS, { metadata: { name: `noop-${i}` }, data: { a: '1' } });
        const before = (await call('GET', path)).body;
        const { revision } = api.engine.store;
        const answer = await call(method, path, body(before), type);
        assert.equal(answer.code, 200);
        assert.equal(versionOf(answer.body), versionOf(before));
        assert.equal(api.engine.store.revision, revision);
      });
    }

    const bodies: [name: string, code: number, method: string, path: string, body?: Json][] = [
      ['a patch that changes nothing any more', 200, 'PATCH', `${MAPS}/staged`, { data: { a: '2' } }],
      ['a second deletion that a finalizer holds', 200, 'DELETE', `${MAPS}/staged`],
      ['a create of what was just created', 409, 'POST', MAPS, { metadata: { name: 'fresh' } }],
      ['a deletion of what was just deleted', 404, 'DELETE', `${MAPS}/fresh`],
    ];
    for (const [name, code, method, path, body] of bodies) {
      it(`answer only when what they found is committed: ${name}`, async () => {
        const metadata = { name: 'staged', finalizers: ['test/held'] };
        await call('POST', MAPS, { metadata, data: { a: '1' } });
        const { revision } = api.engine.store;
        const first = call(method, path, body, MERGE_OR_NONE[method]);
        const second = await call(method, path, body, MERGE_OR_NONE[method]);
        assert.deepEqual([second.code, api.engine.store.revision], [code, revision + 1]);
        await first;
      });
    }

    it('do not commit a status that is the same', async () => {
      await call('POST', THINGS, thing('noop'));
      const status = { status: { ready: true } };
      const first = await call('PATCH', `${THINGS}/noop/status`, status, MERGE);
      const second = await call('PATCH', `${THINGS}/noop/status`, status, MERGE);
      assert.equal(versionOf(second.body), versionOf(first.body));
    });
  });

  describe('as a dry run', () => {
    it('go through everything and store nothing', async () => {
      const { revision } = api.engine.store;
      const created = await call('POST', `${MAPS}?dryRun=All`, { metadata: { name: 'dry' } });
      assert.equal(created.code, 201);
      assert.equal(part(created.body, 'metadata', 'resourceVersion'), undefined);
      assert.equal((await call('GET', `${MAPS}/dry`)).code, 404);
      assert.equal((await call('POST', `${MAPS}?dryRun=All`, { metadata: { name: 'UPPER' } })).code, 422);
      assert.equal((await call('POST', `${MAPS}?dryRun=Some`, { metadata: { name: 'dry' } })).code, 422);
      assert.equal(api.engine.store.revision, revision);
    });

    it('change and delete nothing', async () => {
      await call('POST', MAPS, { metadata: { name: 'wet' }, data: { a: '1' } });
      const { revision } = api.engine.store;
      const patched = await call('PATCH', `${MAPS}/wet?dryRun=All`, { data: { a: '2' } }, MERGE);
      assert.equal(part(patched.body, 'data', 'a'), '2');
      assert.equal((await call('DELETE', `${MAPS}/wet?dryRun=All`)).code, 200);
      assert.equal((await call('DELETE', `${MAPS}/wet`, { dryRun: ['All'] })).code, 200);
      assert.equal((await call('DELETE', `${MAPS}?dryRun=All`)).code, 200);
      assert.equal(part((await call('GET', `${MAPS}/wet`)).body, 'data', 'a'), '1');
      assert.equal(api.engine.store.revision, revision);
    });
  });

  describe('of spec and status', () => {
    for (const [version, path] of [
      ['v1', THINGS],
      ['v1beta1', OLD_THINGS],
    ] as const) {
      it(`are kept apart in ${version}`, async () => {
        const name = `apart-${version}`;
        const sent = thing(name, { spec: { size: 1 }, status: { ready: true } }, 'Thing', version);
        const created = await call('POST', path, sent);
        assert.equal(created.body['status'], undefined);
        const change = { metadata: { labels: { a: 'b' } }, spec: { size: 9 }, status: { ready: false } };
        const status = await call('PATCH', `${path}/${name}/status`, change, MERGE);
        assert.deepEqual(
          [
            part(status.body, 'spec', 'size'),
            part(status.body, 'status', 'ready'),
            part(status.body, 'metadata', 'labels'),
          ],
          [1, false, undefined],
        );
        const main = await call('PATCH', `${path}/${name}`, { spec: { size: 2 }, status: { ready: true } }, MERGE);
        assert.deepEqual([part(main.body, 'spec', 'size'), part(main.body, 'status', 'ready')], [2, false]);
        assert.deepEqual(
          [part(status.body, 'metadata', 'generation'), part(main.body, 'metadata', 'generation')],
          [1, 2],
        );
        assert.equal(main.body['apiVersion'], `g.test/${version}`);
      });
    }

    it('are one where there is no status subresource', async () => {
      await call('POST', PLAIN, thing('p', { status: { ready: true } }, 'Plain'));
      const { body } = await call('PATCH', `${PLAIN}/p`, { status: { ready: false } }, MERGE);
      assert.deepEqual([part(body, 'status', 'ready'), part(body, 'metadata', 'generation')], [false, 2]);
      assert.equal((await call('PATCH', `${PLAIN}/p/status`, {}, MERGE)).code, 404);
    });
  });

  it('count generations for spec and for the beginning of a deletion, not for metadata', async () => {
    await call('POST', THINGS, thing('gen', { metadata: { name: 'gen', finalizers: ['test/hold'] } }));
    const path = `${THINGS}/gen`;
    const generation = (body: Json) => part(body, 'metadata', 'generation');
    assert.equal(generation((await call('PATCH', path, { metadata: { labels: { a: 'b' } } }, MERGE)).body), 1);
    assert.equal(generation((await call('PATCH', path, { spec: { size: 1 } }, MERGE)).body), 2);
    assert.equal(generation((await call('DELETE', path)).body), 3);
    assert.equal(generation((await call('DELETE', path)).body), 3);
  });

  describe('of what is being deleted', () => {
    it('end it with the last finalizer: one DELETED event, and 200 with the last state', async () => {
      const path = `${MAPS}/dying`;
      await call('POST', MAPS, { metadata: { name: 'dying', finalizers: ['test/a', 'test/b'] } });
      const dying = await call('DELETE', path);
      assert.ok(part(dying.body, 'metadata', 'deletionTimestamp'));
      const added = { metadata: { finalizers: ['test/a', 'test/b', 'test/c'] } };
      assert.equal((await call('PATCH', path, added, MERGE)).code, 422);
      await call('PATCH', path, { metadata: { finalizers: ['test/b'] } }, MERGE);
      const types: string[] = [];
      const stop = api.engine.store.subscribe((changes) => types.push(...changes.map((c) => c.type)));
      const last = await call('PATCH', path, { metadata: { finalizers: null } }, MERGE);
      stop();
      assert.deepEqual([last.code, types], [200, ['delete']]);
      assert.equal((await call('GET', path)).code, 404);
    });
  });

  describe('with preconditions', () => {
    it('are refused with 409 when uid or resourceVersion are not those of the object', async () => {
      const { body } = await call('POST', MAPS, { metadata: { name: 'pre' } });
      const path = `${MAPS}/pre`;
      for (const preconditions of [{ uid: 'other' }, { resourceVersion: '1' }])
        assert.equal((await call('DELETE', path, { preconditions })).code, 409);
      assert.equal((await call('PUT', path, { metadata: { name: 'pre', resourceVersion: '1' } })).code, 409);
      assert.equal((await call('PATCH', path, { metadata: { resourceVersion: '1' } }, MERGE)).code, 409);
      const right = { uid: textAt(body, 'metadata', 'uid'), resourceVersion: versionOf(body) };
      assert.equal((await call('DELETE', path, { preconditions: right })).code, 200);
    });

    it('that race: of those with one revision one wins, without one all do', async () => {
      const { body } = await call('POST', MAPS, { metadata: { name: 'race' } });
      const path = `${MAPS}/race`;
      const codes = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => (await call('PUT', path, { ...body, data: { a: String(i) } })).code),
      );
      assert.deepEqual(codes.sort(), [200, ...Array(19).fill(409)]);
      const patches = await Promise.all(
        Array.from(
          { length: 20 },
          async (_, i) => (await call('PATCH', path, { data: { [`k${i}`]: 'x' } }, MERGE)).code,
        ),
      );
      assert.deepEqual(new Set(patches), new Set([200]));
      assert.equal(Object.keys(part((await call('GET', path)).body, 'data') ?? {}).length, 21);
    });

    it('that race to create: one wins', async () => {
      const codes = await Promise.all(
        Array.from({ length: 10 }, async () => (await call('POST', MAPS, { metadata: { name: 'first' } })).code),
      );
      assert.deepEqual(codes.sort(), [201, ...Array(9).fill(409)]);
    });
  });

  it('make names that are free and valid out of generateName', async () => {
    const prefix = `${'x'.repeat(252)}-`;
    for (const generateName of ['a-', prefix]) {
      const { body } = await call('POST', MAPS, { metadata: { generateName } });
      assert.match(textAt(body, 'metadata', 'name'), /^[ax][-x]*[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      assert.ok(textAt(body, 'metadata', 'name').length <= 253);
    }
    assert.equal((await call('POST', MAPS, { metadata: {} })).code, 422);
  });

  it('own what the server owns', async () => {
    const sent = {
      name: 'owned',
      uid: 'x',
      creationTimestamp: null,
      deletionTimestamp: '2020-01-01T00:00:00Z',
      generation: 7,
      selfLink: '/x',
    };
    const { body } = await call('POST', THINGS, thing('owned', { metadata: sent }));
    assert.match(
      textAt(body, 'metadata', 'uid'),
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    assert.match(textAt(body, 'metadata', 'creationTimestamp'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(
      ['deletionTimestamp', 'generation', 'selfLink'].map((field) => part(body, 'metadata', field)),
      [undefined, 1, undefined],
    );
    const changed = {
      ...body,
      metadata: { ...Object(body['metadata']), creationTimestamp: '2020-01-01T00:00:00Z', generation: 9 },
    };
    const put = await call('PUT', `${THINGS}/owned`, changed);
    assert.deepEqual(part(put.body, 'metadata', 'creationTimestamp'), part(body, 'metadata', 'creationTimestamp'));
    assert.equal(part(put.body, 'metadata', 'generation'), 1);
  });

  const badMetadata: [name: string, metadata: JsonObject, field: string][] = [
    ['a name in capitals', { name: 'Upper' }, 'metadata.name'],
    ['a name that is too long', { name: 'x'.repeat(254) }, 'metadata.name'],
    ['a label value with a space', { labels: { a: 'b c' } }, 'metadata.labels'],
    ['a label key with two slashes', { labels: { 'a/b/c': 'd' } }, 'metadata.labels'],
    ['annotations of more than 256 KiB', { annotations: { a: 'x'.repeat(257 * 1024) } }, 'metadata.annotations'],
    ['a finalizer that is no qualified name', { finalizers: ['a b'] }, 'metadata.finalizers'],
    [
      'an owner without a uid',
      { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: '' }] },
      'metadata.ownerReferences.uid',
    ],
    [
      'two controllers',
      {
        ownerReferences: ['1', '2'].map((uid) => ({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          name: 'x',
          uid,
          controller: true,
        })),
      },
      'metadata.ownerReferences',
    ],
  ];
  for (const [name, metadata, field] of badMetadata) {
    it(`are refused with ${name}, naming the field`, async () => {
      const { code, body } = await call('POST', MAPS, { metadata: { name: 'bad', ...metadata } });
      const causes = part(body, 'details', 'causes');
      assert.equal(code, 422);
      assert.equal(Array.isArray(causes) && part(causes[0], 'field'), field);
      assert.equal((await call('GET', `${MAPS}/bad`)).code, 404);
    });
  }

  it('are refused where the body belongs elsewhere', async () => {
    const elsewhere = await call('POST', MAPS, { metadata: { name: 'x', namespace: 'other' } });
    assert.equal(elsewhere.code, 400);
    assert.equal(
      elsewhere.body['message'],
      'the namespace of the provided object does not match the namespace sent on the request',
    );
    assert.equal((await call('PUT', `${MAPS}/y`, { metadata: { name: 'x' } })).code, 400);
    assert.equal((await call('PUT', `${MAPS}/absent`, { metadata: { name: 'absent' } })).code, 404);
    assert.equal((await call('POST', MAPS, { apiVersion: 'v2', metadata: { name: 'x' } })).code, 400);
  });

  it('create leases by PUT, and nothing else', async () => {
    const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
    const renewTime = '2026-01-01T00:00:00.123456Z';
    const lease = { metadata: { name: 'l' }, spec: { holderIdentity: 'a', renewTime } };
    const { code, body } = await call('PUT', `${leases}/l`, lease);
    assert.deepEqual([code, part(body, 'spec', 'renewTime')], [201, renewTime]);
  });

  it('through the older version of a kind lose nothing that only the newer one has', async () => {
    const name = '00000000-0000-0000-0000-0000000000ab';
    const hardware = { system: { manufacturer: 'Dell' }, memory: { totalSize: '8 GB' } };
    const created = await call('POST', SERVERS, {
      apiVersion: 'metal.sidero.dev/v1alpha2',
      kind: 'Server',
      metadata: { name },
      spec: { accepted: false, hardware },
    });
    assert.equal(created.code, 201, JSON.stringify(created.body));
    const old = await call('GET', `${OLD_SERVERS}/${name}`);
    assert.equal(old.body['apiVersion'], 'metal.sidero.dev/v1alpha1');
    assert.equal(versionOf(old.body), versionOf(created.body));
    const same = await call('PUT', `${OLD_SERVERS}/${name}`, old.body);
    assert.equal(versionOf(same.body), versionOf(created.body));
    const changed = await call('PATCH', `${OLD_SERVERS}/${name}`, { spec: { system: { manufacturer: 'HP' } } }, MERGE);
    assert.equal(changed.code, 200, JSON.stringify(changed.body));
    const { body } = await call('GET', `${SERVERS}/${name}`);
    assert.deepEqual(part(body, 'spec', 'hardware', 'system', 'manufacturer'), 'HP');
    assert.deepEqual(part(body, 'spec', 'hardware', 'memory', 'totalSize'), '8 GB');
    const status = { status: { ready: true } };
    await call('PATCH', `${OLD_SERVERS}/${name}/status`, status, MERGE);
    assert.equal(part((await call('GET', `${SERVERS}/${name}`)).body, 'status', 'ready'), true);
    assert.ok(await meta(`${OLD_SERVERS}/${name}`));
  });

  it('of a whole collection keep what does not match', async () => {
    for (const name of ['c1', 'c2', 'c3'])
      await call('POST', MAPS, { metadata: { name, labels: { set: 'c', one: name === 'c1' ? 'yes' : 'no' } } });
    assert.equal((await call('DELETE', `${MAPS}?labelSelector=set=c,one!=yes`)).code, 200);
    const left = (await call('GET', `${MAPS}?labelSelector=set=c`)).body['items'];
    assert.deepEqual(Array.isArray(left) && left.map((o) => part(o, 'metadata', 'name')), ['c1']);
    assert.equal((await call('DELETE', '/api/v1/configmaps')).code, 405);
  });
});
