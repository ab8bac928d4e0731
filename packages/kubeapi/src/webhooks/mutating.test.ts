import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { crdFor, part } from '../testing/json-caller.ts';
import { MAPS, MERGE, startWebhookLab, type WebhookLab } from '../testing/webhook-lab.ts';
import { patchResponse } from '../testing/webhook-server.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const THINGS = '/apis/w.test/v1/namespaces/default/things';

describe('mutating webhooks', () => {
  let lab: WebhookLab;
  before(async () => {
    lab = await startWebhookLab();
    const spec = {
      type: 'object',
      required: ['must'],
      properties: {
        must: { type: 'string' },
        size: { type: 'integer', maximum: 9 },
        preset: { type: 'string', default: 'p' },
      },
    };
    const openAPIV3Schema = {
      type: 'object',
      properties: { spec, status: { type: 'object', properties: { ok: { type: 'boolean' } } } },
    };
    const version = { served: true, schema: { openAPIV3Schema }, subresources: { status: {} } };
    const versions = [
      { name: 'v1', storage: true, ...version },
      { name: 'v2', storage: false, ...version },
    ];
    await lab.call('POST', CRDS, crdFor('w.test', 'things', 'Thing', { versions }));
  });
  afterEach(() => lab.reset());
  after(() => lab[Symbol.asyncDispose]());

  const map = (name: string, more: JsonObject = {}): JsonObject => ({ metadata: { name }, ...more });
  const thing = (name: string, spec: Json, version = 'v1'): JsonObject => ({
    apiVersion: `w.test/${version}`,
    kind: 'Thing',
    metadata: { name },
    spec,
  });
  const things = [
    { operations: ['*'], apiGroups: ['w.test'], apiVersions: ['v1'], resources: ['things', 'things/status'] },
  ];
  /** Appends its name to `data.by` of a ConfigMap. */
  const signs = (path: string, more: (object: Json | undefined) => boolean = () => true) => {
    lab.hooks.on(path, ({ object }) => {
      const by = `${String(part(object, 'data', 'by') ?? '')}${path}`;
      return more(object) ? patchResponse([{ op: 'add', path: '/data', value: { by } }]) : { allowed: true };
    });
  };
  const signed = (body: Json) => part(body, 'data', 'by');

  it('are asked one after the other, by the names of configurations and then in their order', async () => {
    for (const path of ['/a', '/b', '/c']) signs(path);
    await lab.configure('mutating', [lab.hook('/c')], 'second');
    await lab.configure('mutating', [lab.hook('/b'), lab.hook('/a', { name: 'other.test.dev' })], 'first');
    assert.equal(signed((await lab.call('POST', MAPS, map('order'))).body), '/b/a/c');
    assert.equal(signed((await lab.call('GET', `${MAPS}/order`)).body), '/b/a/c');
  });

  it('are asked once more where they want it, when a later one changed the object', async () => {
    // What the first changes when it is asked again, the second is asked about again too.
    signs('/a', (object) => part(object, 'data', 'by') !== '/a/b/a/b');
    signs('/b');
    await lab.configure('mutating', [
      lab.hook('/a', { reinvocationPolicy: 'IfNeeded' }),
      lab.hook('/b', { name: 'other.test.dev', reinvocationPolicy: 'IfNeeded' }),
    ]);
    assert.equal(signed((await lab.call('POST', MAPS, map('again'))).body), '/a/b/a/b');
    lab.hooks.on('/b', () => ({ allowed: true }));
    lab.hooks.forget();
    assert.equal(signed((await lab.call('POST', MAPS, map('once'))).body), '/a');
    assert.equal(lab.hooks.seen('/a').length, 1);
  });

  it('may set what the schema demands; what they leave invalid is refused, defaults come after them', async () => {
    lab.hooks.on('/must', () => patchResponse([{ op: 'add', path: '/spec/must', value: 'set' }]));
    await lab.configure('mutating', [lab.hook('/must', { rules: things })]);
    const { code, body } = await lab.call('POST', THINGS, thing('demanded', {}));
    assert.deepEqual([code, body['spec']], [201, { must: 'set', preset: 'p' }]);
    lab.hooks.on('/must', () => patchResponse([{ op: 'add', path: '/spec', value: { size: 10, zork: 1 } }]));
    const refused = await lab.call('POST', THINGS, thing('invalid', {}));
    assert.equal(refused.code, 422);
    assert.match(refused.message, /spec\.size/);
    lab.hooks.on('/must', () => patchResponse([{ op: 'add', path: '/spec', value: { must: 'x', zork: 1 } }]));
    assert.deepEqual((await lab.call('POST', THINGS, thing('pruned', {}))).body['spec'], { must: 'x', preset: 'p' });
  });

  it('cannot reach beyond the endpoint: status through the object, the object through status', async () => {
    lab.hooks.on('/both', () =>
      patchResponse([
        { op: 'add', path: '/spec', value: { must: 'hook' } },
        { op: 'add', path: '/status', value: { ok: true } },
      ]),
    );
    await lab.call('POST', THINGS, thing('parts', { must: 'user' }));
    await lab.configure('mutating', [lab.hook('/both', { rules: things })]);
    const status = await lab.call('PATCH', `${THINGS}/parts/status`, { status: { ok: false } }, MERGE);
    assert.deepEqual([part(status.body, 'spec', 'must'), part(status.body, 'status', 'ok')], ['user', true]);
    assert.deepEqual(
      lab.hooks.seen('/both').map((r) => r['subResource']),
      ['status'],
    );
    await lab.call('PATCH', `${THINGS}/parts/status`, { status: { ok: null } }, MERGE);
    const main = await lab.call('PATCH', `${THINGS}/parts`, { metadata: { labels: { a: 'b' } } }, MERGE);
    assert.deepEqual([part(main.body, 'spec', 'must'), part(main.body, 'metadata', 'generation')], ['hook', 2]);
  });

  it('see the version that their rules name, and their patch is converted back', async () => {
    lab.hooks.on('/v1', ({ object }) =>
      patchResponse([{ op: 'add', path: '/spec/preset', value: String(part(object, 'apiVersion')) }]),
    );
    await lab.configure('mutating', [lab.hook('/v1', { rules: things })]);
    const path = THINGS.replace('/v1/', '/v2/');
    const { code, body } = await lab.call('POST', path, thing('equivalent', { must: 'x' }, 'v2'));
    assert.deepEqual([code, body['apiVersion'], part(body, 'spec', 'preset')], [201, 'w.test/v2', 'w.test/v1']);
    const [request] = lab.hooks.seen('/v1');
    assert.deepEqual(
      [
        part(request, 'kind', 'version'),
        part(request, 'requestKind', 'version'),
        part(request, 'requestResource', 'version'),
      ],
      ['v1', 'v2', 'v2'],
    );
    await lab.reset();
    await lab.configure('mutating', [lab.hook('/v1', { rules: things, matchPolicy: 'Exact' })]);
    await lab.call('POST', path, thing('exact', { must: 'x' }, 'v2'));
    assert.equal(lab.hooks.seen('/v1').length, 0);
  });

  it('leave the ownership of fields as the request made it, and cannot spoil it', async () => {
    lab.hooks.on('/managed', () =>
      patchResponse([{ op: 'add', path: '/metadata/managedFields', value: [{ manager: 'x' }] }]),
    );
    await lab.configure('mutating', [lab.hook('/managed')]);
    const { code, body, warnings } = await lab.call('POST', MAPS, map('managed', { data: { a: '1' } }));
    assert.equal(code, 201);
    assert.match(String(warnings), /managedFields was in an invalid state after admission/);
    const entries = part(body, 'metadata', 'managedFields');
    assert.deepEqual(Array.isArray(entries) && entries.map((e: Json) => part(e, 'manager')), ['test']);
  });

  const refusals: [name: string, response: JsonObject, code: number, message: RegExp][] = [
    [
      'a patch that does not apply',
      patchResponse([{ op: 'remove', path: '/data/no' }]),
      500,
      /^Internal error occurred: /,
    ],
    [
      'a patch without its type',
      { allowed: true, patch: Buffer.from('[]').toString('base64') },
      500,
      /failed calling webhook "hook\.test\.dev": received invalid webhook response: webhook returned response\.patch but not response\.patchType$/,
    ],
    [
      'a type without its patch',
      { allowed: true, patchType: 'JSONPatch' },
      500,
      /received invalid webhook response: webhook returned response\.patchType but not response\.patch$/,
    ],
    [
      'a patch that is no JSON',
      { allowed: true, patchType: 'JSONPatch', patch: Buffer.from('{"x"').toString('base64') },
      500,
      /received undecodable patch in webhook response: /,
    ],
    [
      'a patch that is no base64',
      { allowed: true, patchType: 'JSONPatch', patch: '***' },
      500,
      /failed to call webhook: illegal base64 data/,
    ],
    [
      'another kind',
      patchResponse([{ op: 'replace', path: '/kind', value: 'Secret' }]),
      500,
      /^Internal error occurred: /,
    ],
    [
      'another version',
      patchResponse([{ op: 'replace', path: '/apiVersion', value: 'v2' }]),
      500,
      /^Internal error occurred: /,
    ],
    [
      'fields of another type',
      patchResponse([{ op: 'add', path: '/data', value: 5 }]),
      500,
      /^Internal error occurred: /,
    ],
    [
      'another namespace',
      patchResponse([{ op: 'replace', path: '/metadata/namespace', value: 'kube-system' }]),
      400,
      /^the namespace of the provided object does not match the namespace sent on the request$/,
    ],
    [
      'a resourceVersion',
      patchResponse([{ op: 'add', path: '/metadata/resourceVersion', value: '7' }]),
      500,
      /^resourceVersion should not be set on objects to be created$/,
    ],
  ];
  for (const [name, response, code, message] of refusals) {
    it(`get nothing stored with ${name}`, async () => {
      lab.hooks.on('/bad', () => response);
      await lab.configure('mutating', [lab.hook('/bad')]);
      const { revision } = lab.api.engine.store;
      const answer = await lab.call('POST', MAPS, map('bad'));
      assert.equal(answer.code, code, answer.message);
      assert.match(answer.message, message);
      assert.equal(lab.api.engine.store.revision, revision);
    });
  }

  it('may name what is created otherwise, but not what is there', async () => {
    lab.hooks.on('/rename', () => patchResponse([{ op: 'replace', path: '/metadata/name', value: 'renamed' }]));
    await lab.call('POST', MAPS, map('named'));
    await lab.configure('mutating', [lab.hook('/rename')]);
    assert.equal(part((await lab.call('POST', MAPS, map('x'))).body, 'metadata', 'name'), 'renamed');
    const refused = await lab.call('PATCH', `${MAPS}/named`, { data: { a: '1' } }, MERGE);
    assert.equal(refused.code, 422);
    assert.match(refused.message, /metadata\.name: Invalid value: "renamed": field is immutable/);
  });

  it('do not make a write out of one that changes nothing in the end', async () => {
    lab.hooks.on('/same', () => patchResponse([{ op: 'add', path: '/data', value: { a: '1' } }]));
    await lab.configure('mutating', [lab.hook('/same')]);
    await lab.call('POST', MAPS, map('same'));
    const { revision } = lab.api.engine.store;
    const answer = await lab.call('PATCH', `${MAPS}/same`, { data: { a: '2' } }, MERGE);
    assert.equal(answer.code, 200);
    assert.ok(isJsonObject(answer.body['data']));
    assert.equal(lab.api.engine.store.revision, revision);
  });
});
