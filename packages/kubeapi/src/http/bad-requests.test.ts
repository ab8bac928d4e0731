import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isJsonObject, type JsonObject, parseJson } from '@bloomery/model';
import { crdFor, jsonCaller } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const THINGS = '/apis/g.test/v1/namespaces/default/things';
const JSON_TYPE = 'application/json';
const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';
const NOT_FOUND = 'the server could not find the requested resource';
const NOT_ALLOWED = 'the server does not allow this method on the requested resource';
const MEDIA =
  'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf';
const map = (fields: JsonObject = {}): string => JSON.stringify({ metadata: { name: 'bad' }, ...fields });
const options = (kind: string, problem: string): string => `${kind}.meta.k8s.io "" is invalid: ${problem}`;
const list = (problem: string): string => options('ListOptions', `resourceVersionMatch: ${problem}`);

interface Case {
  readonly ask: string;
  readonly type?: string;
  readonly accept?: string;
  readonly body?: string;
  readonly code: number;
  readonly reason: string;
  readonly message: string | RegExp;
}

/** Texts were recorded from kube-apiserver 1.34 unless they name media types that only it offers. */
const cases: readonly Case[] = [
  { ask: 'GET /api/v1/nopes', code: 404, reason: 'NotFound', message: NOT_FOUND },
  { ask: 'GET /apis/g.test/v9', code: 404, reason: 'NotFound', message: NOT_FOUND },
  { ask: 'GET /apis/coordination.k8s.io/v1/nopes', code: 404, reason: 'NotFound', message: NOT_FOUND },
  { ask: `GET ${MAPS}/a/nosub`, code: 404, reason: 'NotFound', message: NOT_FOUND },
  { ask: `GET ${MAPS}/a/b/c/d`, code: 404, reason: 'NotFound', message: NOT_FOUND },
  { ask: `GET ${MAPS}/a%2Fb`, code: 404, reason: 'NotFound', message: NOT_FOUND },
  { ask: 'GET /api/v1/configmaps/a', code: 404, reason: 'NotFound', message: NOT_FOUND },
  { ask: 'GET /api/v1/namespaces/default/nodes', code: 404, reason: 'NotFound', message: NOT_FOUND },
  { ask: `GET ${MAPS}/absent`, code: 404, reason: 'NotFound', message: 'configmaps "absent" not found' },
  { ask: `GET ${THINGS}/absent`, code: 404, reason: 'NotFound', message: 'things.g.test "absent" not found' },
  { ask: `PUT ${MAPS}`, code: 405, reason: 'MethodNotAllowed', message: NOT_ALLOWED },
  { ask: `PATCH ${MAPS}`, code: 405, reason: 'MethodNotAllowed', message: NOT_ALLOWED },
  { ask: `POST ${MAPS}/a`, code: 405, reason: 'MethodNotAllowed', message: NOT_ALLOWED },
  { ask: `PROPFIND ${MAPS}`, code: 405, reason: 'MethodNotAllowed', message: NOT_ALLOWED },
  { ask: 'POST /api/v1/configmaps', body: map(), code: 405, reason: 'MethodNotAllowed', message: NOT_ALLOWED },
  { ask: 'DELETE /api/v1/configmaps', code: 405, reason: 'MethodNotAllowed', message: NOT_ALLOWED },
  { ask: 'DELETE /api/v1/namespaces', code: 405, reason: 'MethodNotAllowed', message: NOT_ALLOWED },
  { ask: 'DELETE /apis/g.test/v1/things', code: 404, reason: 'NotFound', message: NOT_FOUND },
  { ask: 'POST /api', code: 405, reason: 'MethodNotAllowed', message: NOT_ALLOWED },
  { ask: 'POST /version', code: 405, reason: 'MethodNotAllowed', message: NOT_ALLOWED },
  {
    ask: `GET ${MAPS}`,
    accept: 'text/html',
    code: 406,
    reason: 'NotAcceptable',
    message: /^only the following media types/,
  },
  {
    ask: 'GET /api',
    accept: 'text/html',
    code: 406,
    reason: 'NotAcceptable',
    message: /^only the following media types/,
  },
  {
    ask: `GET ${MAPS}?watch=1`,
    accept: 'application/yaml',
    code: 406,
    reason: 'NotAcceptable',
    message: 'only the following media types are accepted: application/json;stream=watch',
  },
  {
    ask: `GET ${MAPS}`,
    accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
    code: 406,
    reason: 'NotAcceptable',
    message: 'you requested PartialObjectMetadata, but the requested object is a list (ConfigMapList)',
  },
  {
    ask: `POST ${MAPS}`,
    accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
    body: map(),
    code: 406,
    reason: 'NotAcceptable',
    message: 'you requested PartialObjectMetadataList, but the requested object is not a list (ConfigMap)',
  },
  { ask: `POST ${MAPS}`, type: 'text/plain', body: map(), code: 415, reason: 'UnsupportedMediaType', message: MEDIA },
  {
    ask: `POST ${MAPS}`,
    type: 'application/cbor',
    body: 'x',
    code: 415,
    reason: 'UnsupportedMediaType',
    message: MEDIA,
  },
  { ask: `POST ${MAPS}`, type: ';;;', body: map(), code: 415, reason: 'UnsupportedMediaType', message: MEDIA },
  {
    ask: `PATCH ${MAPS}/a`,
    body: '{}',
    code: 415,
    reason: 'UnsupportedMediaType',
    message: '415: Unsupported Media Type',
  },
  {
    ask: `PATCH ${THINGS}/a`,
    type: 'application/strategic-merge-patch+json',
    body: '{}',
    code: 415,
    reason: 'UnsupportedMediaType',
    message: /application\/json-patch\+json, application\/merge-patch\+json, application\/apply-patch\+yaml$/,
  },
  { ask: `POST ${MAPS}`, body: 'x', code: 400, reason: 'BadRequest', message: /^the object provided is unrecognized/ },
  { ask: `POST ${MAPS}`, body: '', code: 400, reason: 'BadRequest', message: /^the object provided is unrecognized/ },
  { ask: `POST ${MAPS}`, body: '[]', code: 400, reason: 'BadRequest', message: /^the object provided is unrecognized/ },
  { ask: `POST ${MAPS}`, type: 'application/yaml', body: 'a: [b', code: 400, reason: 'BadRequest', message: /YAML/ },
  {
    ask: `POST ${MAPS}`,
    body: `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
    code: 400,
    reason: 'BadRequest',
    message: /deeper/,
  },
  {
    ask: `GET ${MAPS}?limit=abc`,
    code: 400,
    reason: 'BadRequest',
    message: 'strconv.ParseInt: parsing "abc": invalid syntax',
  },
  {
    ask: `GET ${MAPS}?limit=99999999999999999999`,
    code: 400,
    reason: 'BadRequest',
    message: 'strconv.ParseInt: parsing "99999999999999999999": value out of range',
  },
  {
    ask: `GET ${MAPS}?timeoutSeconds=1.5`,
    code: 400,
    reason: 'BadRequest',
    message: 'strconv.ParseInt: parsing "1.5": invalid syntax',
  },
  {
    ask: `GET ${MAPS}?timeout=abc`,
    code: 400,
    reason: 'BadRequest',
    message: 'invalid timeout specified in the request URL - time: invalid duration "abc"',
  },
  {
    ask: `GET ${MAPS}?resourceVersion=abc`,
    code: 400,
    reason: 'BadRequest',
    message:
      'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
  },
  {
    ask: `GET ${MAPS}/a?resourceVersion=-1`,
    code: 400,
    reason: 'BadRequest',
    message:
      'invalid resource version: resourceVersion: Invalid value: "-1": strconv.ParseUint: parsing "-1": invalid syntax',
  },
  {
    ask: `GET ${MAPS}?continue=abc`,
    code: 400,
    reason: 'BadRequest',
    message: /^invalid continue token: continue key is not valid: /,
  },
  {
    ask: `GET ${MAPS}/a?export=true`,
    code: 400,
    reason: 'BadRequest',
    message: 'the export parameter, deprecated since v1.14, is no longer supported',
  },
  {
    ask: 'GET /openapi/v2',
    accept: 'text/html',
    code: 406,
    reason: 'NotAcceptable',
    message: /^only the following/,
  },
  {
    ask: `GET ${MAPS}?labelSelector=a=b=c`,
    code: 400,
    reason: 'BadRequest',
    message: "found '=', expected: ',' or 'end of string'",
  },
  {
    ask: `GET ${MAPS}?fieldSelector=x`,
    code: 400,
    reason: 'BadRequest',
    message: "invalid selector: 'x'; can't understand 'x'",
  },
  {
    ask: `GET ${MAPS}?fieldSelector=spec.x=1`,
    code: 400,
    reason: 'BadRequest',
    message: '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
  },
  {
    ask: `GET ${THINGS}?fieldSelector=spec.x=1`,
    code: 400,
    reason: 'BadRequest',
    message: 'field label not supported: spec.x',
  },
  {
    ask: `GET ${MAPS}?resourceVersionMatch=Exact`,
    code: 422,
    reason: 'Invalid',
    message: list('Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided'),
  },
  {
    ask: `GET ${MAPS}?resourceVersionMatch=Foo&resourceVersion=1`,
    code: 422,
    reason: 'Invalid',
    message: list('Unsupported value: "Foo": supported values: "Exact", "NotOlderThan", ""'),
  },
  {
    ask: `GET ${MAPS}?resourceVersionMatch=Exact&resourceVersion=0`,
    code: 422,
    reason: 'Invalid',
    message: list('Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
  },
  {
    ask: `GET ${MAPS}?continue=abc&resourceVersionMatch=Exact&resourceVersion=3`,
    code: 422,
    reason: 'Invalid',
    message: list('Forbidden: resourceVersionMatch is forbidden when continue is provided'),
  },
  {
    ask: `GET ${MAPS}?sendInitialEvents=true`,
    code: 422,
    reason: 'Invalid',
    message: options('ListOptions', 'sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list'),
  },
  {
    ask: `GET ${MAPS}?watch=1&sendInitialEvents=true`,
    code: 422,
    reason: 'Invalid',
    message: list('Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
  },
  {
    ask: `GET ${MAPS}?watch=1&sendInitialEvents=1&resourceVersionMatch=Exact&resourceVersion=1`,
    code: 422,
    reason: 'Invalid',
    message: options(
      'ListOptions',
      '[resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
    ),
  },
  {
    ask: `GET ${MAPS}?watch=1&resourceVersionMatch=NotOlderThan`,
    code: 422,
    reason: 'Invalid',
    message: list('Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'),
  },
  {
    ask: `POST ${MAPS}?dryRun=Foo`,
    body: map(),
    code: 422,
    reason: 'Invalid',
    message: options('CreateOptions', 'dryRun: Unsupported value: ["Foo"]: supported values: "All"'),
  },
  {
    ask: `PUT ${MAPS}/a?fieldValidation=Foo`,
    body: map(),
    code: 422,
    reason: 'Invalid',
    message: options(
      'UpdateOptions',
      'fieldValidation: Unsupported value: "Foo": supported values: "", "Ignore", "Strict", "Warn"',
    ),
  },
  {
    ask: `POST ${MAPS}?fieldManager=${'x'.repeat(129)}`,
    body: map(),
    code: 422,
    reason: 'Invalid',
    message: options('CreateOptions', 'fieldManager: Too long: may not be more than 128 bytes'),
  },
  {
    ask: `POST ${MAPS}?fieldManager=a%07b`,
    body: map(),
    code: 422,
    reason: 'Invalid',
    message: /fieldManager: Invalid value: .*: invalid character U\+0007 \(at position 1\)$/,
  },
  {
    ask: `PATCH ${MAPS}/a`,
    type: APPLY,
    body: '{}',
    code: 422,
    reason: 'Invalid',
    message: options('PatchOptions', 'fieldManager: Required value: is required for apply patch'),
  },
  {
    ask: `PATCH ${MAPS}/a?force=true`,
    type: MERGE,
    body: '{}',
    code: 422,
    reason: 'Invalid',
    message: options('PatchOptions', 'force: Forbidden: may not be specified for non-apply patch'),
  },
  {
    ask: `DELETE ${MAPS}/a?propagationPolicy=Foo`,
    code: 422,
    reason: 'Invalid',
    message: options(
      'DeleteOptions',
      'propagationPolicy: Unsupported value: "Foo": supported values: "Foreground", "Background", "Orphan", "nil"',
    ),
  },
  {
    ask: `DELETE ${MAPS}/a`,
    body: '{"propagationPolicy":"Background","orphanDependents":true}',
    code: 422,
    reason: 'Invalid',
    message: options(
      'DeleteOptions',
      'propagationPolicy: Invalid value: "Background": orphanDependents and deletionPropagation cannot be both set',
    ),
  },
  { ask: `DELETE ${MAPS}/a`, body: '{"kind":"Foo"}', code: 400, reason: 'BadRequest', message: /DeleteOptions/ },
  { ask: `DELETE ${MAPS}/a`, body: '{"kind":9007199254740993}', code: 400, reason: 'BadRequest', message: /no kind 9/ },
  {
    ask: `DELETE ${MAPS}/a`,
    body: '{"gracePeriodSeconds":"x"}',
    code: 400,
    reason: 'BadRequest',
    message: /gracePeriodSeconds/,
  },
  {
    ask: `DELETE ${MAPS}/a`,
    body: '{"preconditions":{"resourceVersion":"1"}}',
    code: 409,
    reason: 'Conflict',
    message: /^Operation cannot be fulfilled on ConfigMap "a": the ResourceVersion in the precondition \(1\)/,
  },
  {
    ask: `DELETE ${MAPS}`,
    body: '{"preconditions":{"uid":"other"}}',
    code: 409,
    reason: 'Conflict',
    message: /^Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition \(other\)/,
  },
];

describe('a bad request', () => {
  let api: TestApi;
  before(async () => {
    api = await startTestApi();
    const call = jsonCaller(api);
    await call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crdFor('g.test', 'things', 'Thing'));
    await call('POST', MAPS, { metadata: { name: 'a' } });
    await api.engine.idle();
  });
  after(() => api[Symbol.asyncDispose]());

  for (const { ask, type = JSON_TYPE, accept, body = '', code, reason, message } of cases) {
    const [method = '', path = ''] = ask.split(' ', 2);
    const name = [ask.slice(0, 120), accept, type === JSON_TYPE ? undefined : type, body.slice(0, 60)]
      .filter(Boolean)
      .join(' ');
    it(`${name} gets ${code} and changes nothing`, async () => {
      const { revision } = api.engine.store;
      const headers = { 'content-type': type, ...(accept === undefined ? {} : { accept }) };
      const answer = await api.call({ method, path, headers, body });
      const status = parseJson(answer.body);
      assert.ok(isJsonObject(status));
      const { kind, apiVersion, status: outcome } = status;
      assert.deepEqual(
        [answer.code, status['code'], status['reason'], kind, apiVersion, outcome],
        [code, code, reason, 'Status', 'v1', 'Failure'],
      );
      if (typeof message === 'string') assert.equal(status['message'], message);
      else assert.match(String(status['message']), message);
      await api.engine.idle();
      assert.equal(api.engine.store.revision, revision);
    });
  }

  it('for a path that is none of the API is told so in plain text', async () => {
    for (const path of ['/nope', '/debug/pprof', '/logs', '/apis/nope.test', '//api//v1']) {
      const answer = await api.open({ path });
      assert.deepEqual([answer.status, answer.body], [404, '404 page not found\n'], path);
    }
  });
});
