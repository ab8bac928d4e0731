import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type Logger, silentLog } from '@bloomery/ports';
import fc from 'fast-check';
import { crdFor, jsonCaller } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import type { ApiAnswer } from './api-request.ts';

const RUNS = 8000;

const segment = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'default',
      'one',
      'things',
      'configmaps',
      'secrets',
      'namespaces',
      'events',
      'status',
      'scale',
      'finalize',
      'token',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', '%00', '%2e%2e', '%zz', '..', 'hasOwnProperty'),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }).map(encodeURIComponent) },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
);
const root = fc.constantFrom(
  '/api/v1',
  '/apis/g.test/v1',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  '/apis/rbac.authorization.k8s.io/v1',
  '/apis/authorization.k8s.io/v1/subjectaccessreviews',
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
  '/apis',
  '/api',
  '/openapi/v3',
  '',
);
const collection = fc.constantFrom(
  '/api/v1/namespaces',
  '/api/v1/namespaces/default/configmaps',
  '/api/v1/namespaces/default/secrets',
  '/api/v1/namespaces/default/events',
  '/apis/coordination.k8s.io/v1/namespaces/default/leases',
  '/apis/g.test/v1/namespaces/default/things',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
);
const path = fc.oneof(
  { weight: 3, arbitrary: collection },
  { weight: 5, arbitrary: collection.map((base) => `${base}/one`) },
  { weight: 1, arbitrary: collection.chain((base) => segment.map((last) => `${base}/one/${last}`)) },
  {
    weight: 1,
    arbitrary: fc.tuple(root, fc.array(segment, { maxLength: 5 })).map(([base, rest]) => [base, ...rest].join('/')),
  },
);
const parameter = fc.tuple(
  fc.constantFrom(
    'limit',
    'continue',
    'labelSelector',
    'fieldSelector',
    'resourceVersion',
    'resourceVersionMatch',
    'dryRun',
    'fieldManager',
    'fieldValidation',
    'force',
    'propagationPolicy',
    'timeoutSeconds',
    'allowWatchBookmarks',
    'sendInitialEvents',
    'pretty',
  ),
  fc.oneof(
    fc.constantFrom(
      '',
      '0',
      '1',
      'true',
      'All',
      'Exact',
      'Strict',
      'a=b,c in (d',
      '!x',
      'metadata.name=one',
      'NotOlderThan',
      'Foreground',
    ),
    fc.string({ maxLength: 30 }),
  ),
);
const key = fc.oneof(
  fc.constantFrom(
    'apiVersion',
    'kind',
    'metadata',
    'spec',
    'status',
    'data',
    'name',
    'namespace',
    'labels',
    'finalizers',
    'ownerReferences',
    'managedFields',
    'fieldsV1',
    'resourceVersion',
    'uid',
    'generateName',
    '__proto__',
    'constructor',
    'op',
    'path',
    'value',
    'versions',
    'names',
    'schema',
    'openAPIV3Schema',
    'rules',
    'subjects',
    'roleRef',
  ),
  fc.string({ maxLength: 6 }),
);
const { value: json } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'large' },
    fc.oneof(
      fc.constantFrom('one', 'v1', 'ConfigMap', 'Thing', 'g.test/v1', 'add', '/metadata/labels', '', '0', 'f:spec'),
      fc.string(),
      fc.double({ noNaN: true }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 6 }).map(objectText),
  ),
}));

/** An object as JSON text, so that `__proto__` and doubled members get through. */
class RawText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

function objectText(members: readonly (readonly [string, unknown])[]): RawText {
  return new RawText(`{${members.map(([name, value]) => `${JSON.stringify(name)}:${textOf(value)}`).join(',')}}`);
}

function textOf(value: unknown): string {
  if (value instanceof RawText) return value.text;
  return Array.isArray(value) ? `[${value.map(textOf).join(',')}]` : JSON.stringify(value);
}

const named = json.map((value) => {
  const text = textOf(value);
  if (!text.startsWith('{') || text === '{}') return text;
  return `{"apiVersion":"g.test/v1","kind":"Thing","metadata":{"name":"one"},${text.slice(1)}`;
});
const body = fc.oneof(
  json.map((value) => new TextEncoder().encode(textOf(value))),
  named.map((text) => new TextEncoder().encode(text)),
  fc.uint8Array({ maxLength: 200 }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.from([0x6b, 0x38, 0x73, 0, ...bytes])),
);
const type = fc.constantFrom(
  'application/json',
  'application/json',
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'text/plain; charset=x',
  '',
);
const accept = fc.constantFrom(
  undefined,
  undefined,
  undefined,
  undefined,
  '*/*',
  '*/*',
  '*/*',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  'application/yaml',
  'nonsense;;;=,',
);
const method = fc.constantFrom('GET', 'POST', 'POST', 'PUT', 'PUT', 'PATCH', 'PATCH', 'PATCH', 'DELETE', 'HEAD', '');

describe('a hostile request', () => {
  let api: TestApi;
  const faults: string[] = [];
  const codes = new Map<number, number>();
  before(async () => {
    const log: Logger = {
      ...silentLog,
      error: (event, facts) => void faults.push(`${event} ${JSON.stringify(facts)}`),
      with: () => log,
    };
    api = await startTestApi([], log);
    const call = jsonCaller(api);
    await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crdFor('g.test', 'things', 'Thing'));
    await call('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'one' }, data: { a: 'b' } });
    const thing = { apiVersion: 'g.test/v1', kind: 'Thing', metadata: { name: 'one' }, spec: { a: ['b'] } };
    await call('POST', '/apis/g.test/v1/namespaces/default/things', thing);
  });
  after(() => api[Symbol.asyncDispose]());

  async function bodyOf(answer: ApiAnswer): Promise<string> {
    if (typeof answer.body === 'string') return answer.body;
    assert.ok(answer.body instanceof Uint8Array, 'a stream that nobody asked for');
    return Buffer.from(answer.body).toString('latin1');
  }

  it('is answered with a refusal or done, never with a fault', async (t) => {
    const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));
    t.diagnostic(`seed ${seed}`);
    const request = fc.record({ method, path, query: fc.array(parameter, { maxLength: 3 }), body, type, accept });
    const property = fc.asyncProperty(request, async (r) => {
      faults.length = 0;
      const stop = new AbortController();
      const ask = api.open({
        method: r.method,
        path: r.path,
        query: new URLSearchParams(r.query.map(([name, value]): [string, string] => [name, value])),
        headers: { 'content-type': r.type, accept: r.accept, 'user-agent': 'fuzz/1' },
        body: async () => r.body,
        signal: AbortSignal.any([stop.signal, AbortSignal.timeout(200)]),
      });
      const answer = await ask;
      stop.abort();
      codes.set(answer.status, (codes.get(answer.status) ?? 0) + 1);
      assert.ok(answer.status >= 200 && answer.status < 600);
      assert.deepEqual(faults, []);
      const isResourceVersionOnCreate = (await bodyOf(answer)).includes('resourceVersion should not be set');
      assert.ok(answer.status !== 500 || isResourceVersionOnCreate, `${answer.status}: ${await bodyOf(answer)}`);
    });
    await fc.assert(property, { seed, numRuns: RUNS, interruptAfterTimeLimit: 60_000 });
    t.diagnostic(`answers: ${[...codes].map(([code, count]) => `${count} × ${code}`).join(', ')}`);
    assert.equal(Object.getOwnPropertyNames(Object.prototype).includes('polluted'), false);
    assert.equal((await api.open({ path: '/api/v1/namespaces/default/configmaps' })).status, 200);
    await api.engine.idle();
  });
});
