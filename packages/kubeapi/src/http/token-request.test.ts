import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isJsonObject, type JsonObject } from '@bloomery/model';
import { authenticated, MASTERS, type User } from '../auth/user.ts';
import { type AskAs, askAs } from '../testing/ask-as.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const ADMIN: User = { name: 'admin', groups: [MASTERS] };
const NS = '/api/v1/namespaces/default';
const TOKEN = `${NS}/serviceaccounts/build/token`;
const ISSUER = 'https://kubernetes.default.svc.cluster.local';

describe('a request for a token of a service account', () => {
  let api: TestApi;
  let ask: AskAs;
  before(async () => {
    api = await startTestApi();
    ask = askAs(api);
    await ask(ADMIN, 'POST', `${NS}/serviceaccounts`, { metadata: { name: 'build' } });
    await ask(ADMIN, 'POST', `${NS}/secrets`, { metadata: { name: 'sec' } });
  });
  after(() => api[Symbol.asyncDispose]());
  const request = (spec: JsonObject, metadata: JsonObject = {}) => ask(ADMIN, 'POST', TOKEN, { metadata, spec });

  it('is answered with one that the API itself believes', async () => {
    const { code, body } = await ask(ADMIN, 'POST', TOKEN, {});
    assert.equal(code, 201);
    assert.deepEqual(body['spec'], { audiences: [ISSUER], expirationSeconds: 3600, boundObjectRef: null });
    const status = isJsonObject(body['status']) ? body['status'] : {};
    const user = api.authenticator.authenticate(undefined, `Bearer ${status['token']}`);
    assert.equal(user?.name, 'system:serviceaccount:default:build');
    const meta = isJsonObject(body['metadata']) ? body['metadata'] : {};
    assert.deepEqual([meta['name'], meta['namespace'], meta['uid']], ['build', 'default', user?.uid]);
  });

  it('may be for others, for longer, and bound', async () => {
    const boundObjectRef = { kind: 'Secret', apiVersion: 'v1', name: 'sec' };
    const spec = { audiences: ['vault'], expirationSeconds: 600, boundObjectRef };
    const { code, body } = await request(spec);
    assert.deepEqual([code, body['spec']], [201, spec]);
    const status = isJsonObject(body['status']) ? body['status'] : {};
    assert.equal(api.authenticator.authenticate(undefined, `Bearer ${status['token']}`), undefined);
    assert.equal(api.authenticator.review(String(status['token']), ['vault']).ok, true);
  });

  const ref = (more: JsonObject): JsonObject => ({
    boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: 'sec', ...more },
  });
  const at = 'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value:';
  const refusals: [name: string, spec: JsonObject, code: number, message: string][] = [
    ['too short', { expirationSeconds: 599 }, 422, `${at} 599: may not specify a duration less than 10 minutes`],
    [
      'too long',
      { expirationSeconds: 2 ** 32 + 1 },
      422,
      `${at} 4294967297: may not specify a duration larger than 2^32 seconds`,
    ],
    [
      'bound to another kind',
      ref({ kind: 'ConfigMap' }),
      400,
      'cannot bind token to object of type /v1, Kind=ConfigMap',
    ],
    [
      'bound to another group',
      ref({ apiVersion: 'x/v1' }),
      400,
      'cannot bind token to object of type x/v1, Kind=Secret',
    ],
    ['bound to no name', ref({ name: '' }), 400, 'Name parameter required.'],
    ['bound to what is not there', ref({ name: 'no' }), 404, 'secrets "no" not found'],
    ['bound to a Node that is not there', ref({ kind: 'Node', name: 'no' }), 404, 'nodes "no" not found'],
    [
      'bound to what was made again',
      ref({ uid: 'old' }),
      409,
      'Operation cannot be fulfilled on Secret "sec": the UID in the bound object reference (old) does not match the UID in record. The object might have been deleted and then recreated',
    ],
  ];
  for (const [name, spec, code, message] of refusals) {
    it(`${name} is refused`, async () => {
      const answer = await request(spec);
      assert.deepEqual([answer.code, answer.body['message']], [code, message]);
    });
  }

  it('for an account that is not there is refused', async () => {
    const { code, body } = await ask(ADMIN, 'POST', `${NS}/serviceaccounts/no/token`, {});
    assert.deepEqual([code, body['message']], [404, 'serviceaccounts "no" not found']);
  });

  it('of another name or namespace is refused', async () => {
    const named = await request({}, { name: 'other' });
    assert.equal(
      named.body['message'],
      'TokenRequest.authentication.k8s.io "build" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified',
    );
    assert.equal((await request({}, { namespace: 'other' })).code, 400);
  });

  it('is a create of the subresource, and nothing else is offered there', async () => {
    const jane = authenticated('jane', []);
    const { code, body } = await ask(jane, 'POST', TOKEN, {});
    assert.equal(code, 403);
    assert.match(String(body['message']), /cannot create resource "serviceaccounts\/token" in API group ""/);
    assert.equal((await ask(ADMIN, 'GET', TOKEN)).code, 405);
    assert.equal((await ask(ADMIN, 'PUT', TOKEN, {})).code, 405);
  });

  it('has no answer without credentials', async () =>
    assert.equal((await ask(undefined, 'POST', TOKEN, {})).code, 401));

  it('can be checked by others with the published key', async () => {
    const open = (path: string, user: User) => api.open({ path, user });
    const account = authenticated('system:serviceaccount:default:build', ['system:serviceaccounts']);
    const keys = await open('/openid/v1/jwks', account);
    assert.equal(keys.headers['content-type'], 'application/jwk-set+json');
    assert.deepEqual(JSON.parse(String(keys.body)), api.accountTokens.keySet());
    const configuration = await open('/.well-known/openid-configuration', account);
    assert.deepEqual(JSON.parse(String(configuration.body)), {
      issuer: ISSUER,
      jwks_uri: 'https://127.0.0.1:6443/openid/v1/jwks',
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    });
    assert.equal((await open('/openid/v1/jwks', authenticated('jane', []))).status, 403);
  });
});
