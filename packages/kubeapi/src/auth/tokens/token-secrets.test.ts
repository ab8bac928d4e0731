import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isJsonObject, type JsonObject } from '@bloomery/model';
import { silentLog, systemClock } from '@bloomery/ports';
import { type JsonCaller, jsonCaller } from '../../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../../testing/test-api.ts';
import { startTokenSecrets } from './token-secrets.ts';

const NS = '/api/v1/namespaces/default';

describe('a Secret for the token of a service account', () => {
  let api: TestApi;
  let make: JsonCaller;
  let controller: ReturnType<typeof startTokenSecrets>;
  before(async () => {
    api = await startTestApi();
    make = jsonCaller(api);
    await make('POST', `${NS}/serviceaccounts`, { metadata: { name: 'build' } });
    await secret('early', 'build');
    controller = start();
  });
  after(async () => {
    controller.stop();
    await api[Symbol.asyncDispose]();
  });
  const start = () =>
    startTokenSecrets({
      ...api.engine,
      clock: systemClock,
      log: silentLog,
      accountTokens: api.accountTokens,
      authorityPem: () => 'PEM',
    });
  const secret = (name: string, account: string) =>
    make('POST', `${NS}/secrets`, {
      metadata: { name, annotations: { 'kubernetes.io/service-account.name': account } },
      type: 'kubernetes.io/service-account-token',
    });
  async function dataOf(name: string): Promise<JsonObject | undefined> {
    await controller.idle();
    const { code, body } = await make('GET', `${NS}/secrets/${name}`);
    if (code === 404) return undefined;
    return isJsonObject(body['data']) ? body['data'] : {};
  }
  const plain = (value: unknown): string => Buffer.from(String(value), 'base64').toString();

  it('is filled in, also when it was there before', async () => {
    await secret('late', 'build');
    for (const name of ['early', 'late']) {
      const data = await dataOf(name);
      assert.deepEqual([plain(data?.['ca.crt']), plain(data?.['namespace'])], ['PEM', 'default']);
      const user = api.authenticator.authenticate(undefined, `Bearer ${plain(data?.['token'])}`);
      assert.equal(user?.name, 'system:serviceaccount:default:build');
    }
  });

  it('keeps its token at the next start, and gets a new one when it is taken out', async () => {
    const token = (await dataOf('late'))?.['token'];
    controller.stop();
    controller = start();
    assert.equal((await dataOf('late'))?.['token'], token);
    await make('PATCH', `${NS}/secrets/late`, { data: { token: null } }, 'application/merge-patch+json');
    const data = await dataOf('late');
    const user = api.authenticator.authenticate(undefined, `Bearer ${plain(data?.['token'])}`);
    assert.equal(user?.name, 'system:serviceaccount:default:build');
  });

  it('goes when its account is not there', async () => {
    assert.equal((await secret('orphan', 'nobody')).code, 201);
    assert.equal(await dataOf('orphan'), undefined);
  });

  it('goes with its account, and others stay', async () => {
    await make('POST', `${NS}/serviceaccounts`, { metadata: { name: 'short' } });
    await secret('short', 'short');
    const token = plain((await dataOf('short'))?.['token']);
    assert.notEqual(api.authenticator.authenticate(undefined, `Bearer ${token}`), undefined);
    await make('DELETE', `${NS}/serviceaccounts/short`);
    assert.equal(api.authenticator.authenticate(undefined, `Bearer ${token}`), undefined);
    assert.equal(await dataOf('short'), undefined);
    assert.notEqual(await dataOf('late'), undefined);
  });

  it('of an account that was made again goes too', async () => {
    await make('POST', `${NS}/serviceaccounts`, { metadata: { name: 'twice' } });
    await secret('twice', 'twice');
    await dataOf('twice');
    controller.stop();
    await make('DELETE', `${NS}/serviceaccounts/twice`);
    await make('POST', `${NS}/serviceaccounts`, { metadata: { name: 'twice' } });
    controller = start();
    assert.equal(await dataOf('twice'), undefined);
  });

  it('must name its account', async () => {
    const { code, body } = await make('POST', `${NS}/secrets`, {
      metadata: { name: 'unnamed' },
      type: 'kubernetes.io/service-account-token',
    });
    const field = 'metadata.annotations[kubernetes.io/service-account.name]';
    assert.deepEqual([code, body['message']], [422, `Secret "unnamed" is invalid: ${field}: Required value`]);
  });
});
