import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { isJsonObject, type JsonObject } from '@bloomery/model';
import { createFakeClock, type FakeClock, silentLog } from '@bloomery/ports';
import { type JsonCaller, jsonCaller } from '../../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../../testing/test-api.ts';
import type { NamedObject } from './account-claims.ts';
import { readSigningKey, type SigningKey, signJwt } from './jwt.ts';
import { createServiceAccountTokens, DEFAULT_ISSUER, type ServiceAccountTokens } from './service-account-tokens.ts';
import { createSigningKeyPem } from './signing-key.ts';

const NS = '/api/v1/namespaces/default';
const START = Date.parse('2026-01-01T00:00:00Z');
const GONE = { ok: false, error: 'service account token has been invalidated' };

describe('service account tokens', () => {
  let clock: FakeClock;
  let api: TestApi;
  let make: JsonCaller;
  let key: SigningKey;
  let tokens: ServiceAccountTokens;
  let account: NamedObject;
  let serial = 0;

  before(async () => {
    clock = createFakeClock(START);
    api = await startTestApi([], silentLog, { clock });
    make = jsonCaller(api);
    const read = readSigningKey(createSigningKeyPem());
    assert.ok(read);
    key = read;
    const random = (length: number): Uint8Array => randomBytes(length);
    tokens = createServiceAccountTokens({ store: api.engine.store, key, clock, random });
  });
  after(() => api[Symbol.asyncDispose]());
  beforeEach(async () => {
    account = await created(`${NS}/serviceaccounts`, { metadata: { name: `build-${serial++}` } });
  });

  async function created(path: string, object: JsonObject): Promise<NamedObject> {
    const { code, body } = await make('POST', path, object);
    assert.equal(code, 201, JSON.stringify(body));
    const meta = isJsonObject(body['metadata']) ? body['metadata'] : {};
    return { name: String(meta['name']), uid: String(meta['uid']) };
  }
  const order = (more: { pod?: NamedObject; secret?: NamedObject; node?: NamedObject } = {}) => ({
    namespace: 'default',
    account,
    audiences: [DEFAULT_ISSUER],
    lifetimeSeconds: 3600,
    ...more,
  });
  const claimsOf = (token: string): JsonObject =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  const check = (token: string) => tokens.verify(token, tokens.audiences);

  it('say what Kubernetes tokens say', () => {
    const { token, expiresMs } = tokens.issue(order());
    const { jti, iat, nbf, exp, ...claims } = claimsOf(token);
    assert.match(String(jti), /^[0-9a-f-]{36}$/);
    const now = Math.floor(clock.nowMs() / 1000);
    assert.deepEqual({ iat, nbf, exp }, { iat: now, nbf: now, exp: now + 3600 });
    assert.equal(expiresMs, (now + 3600) * 1000);
    assert.deepEqual(claims, {
      aud: [DEFAULT_ISSUER],
      iss: DEFAULT_ISSUER,
      sub: `system:serviceaccount:default:${account.name}`,
      'kubernetes.io': { namespace: 'default', serviceaccount: { ...account } },
    });
  });

  it('stand for the account and its groups', () => {
    const { token } = tokens.issue(order());
    const verdict = check(token);
    assert.deepEqual(verdict, {
      ok: true,
      audiences: [DEFAULT_ISSUER],
      user: {
        name: `system:serviceaccount:default:${account.name}`,
        uid: account.uid,
        groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
        extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${claimsOf(token)['jti']}`] },
      },
    });
    assert.deepEqual(check(token), verdict);
  });

  it('end when they end, also when they were seen before', async () => {
    const { token } = tokens.issue(order());
    assert.equal(check(token).ok, true);
    await clock.advance(3600_000 + 60_000);
    assert.equal(check(token).ok, true);
    await clock.advance(1000);
    assert.deepEqual(check(token), { ok: false, error: 'service account token has expired' });
  });

  it('do not hold before their time, but for a clock that was set back a little', () => {
    const now = Math.floor(clock.nowMs() / 1000);
    const at = (nbf: number) => {
      const claims = claimsOf(tokens.issue(order()).token);
      return check(signJwt(key, { ...claims, nbf }));
    };
    assert.equal(at(now + 60).ok, true);
    assert.deepEqual(at(now + 61), { ok: false, error: 'service account token is not valid yet' });
  });

  it('are for their audiences only', () => {
    const { token } = tokens.issue({ ...order(), audiences: ['vault', 'other'] });
    assert.deepEqual(check(token), {
      ok: false,
      error: `token audiences ["vault" "other"] is invalid for the target audiences ["${DEFAULT_ISSUER}"]`,
    });
    const verdict = tokens.verify(token, ['x', 'vault']);
    assert.deepEqual(verdict.ok && verdict.audiences, ['vault']);
  });

  it('of an account that is gone, or was made again, are worth nothing', async () => {
    const { token } = tokens.issue(order());
    assert.equal(check(token).ok, true);
    await make('DELETE', `${NS}/serviceaccounts/${account.name}`);
    assert.deepEqual(check(token), GONE);
    await created(`${NS}/serviceaccounts`, { metadata: { name: account.name } });
    assert.deepEqual(check(token), GONE);
  });

  const bound: [part: 'pod' | 'secret' | 'node', path: string, object: JsonObject][] = [
    ['pod', `${NS}/pods`, { spec: { containers: [{ name: 'c', image: 'i' }] } }],
    ['secret', `${NS}/secrets`, {}],
    ['node', '/api/v1/nodes', {}],
  ];
  for (const [part, path, object] of bound) {
    it(`bound to a ${part} end with it`, async () => {
      const name = `bound-${part}`;
      const holder = await created(path, { ...object, metadata: { name } });
      const { token } = tokens.issue(order({ [part]: holder }));
      const claims = claimsOf(token)['kubernetes.io'];
      assert.deepEqual(isJsonObject(claims) && claims[part], { ...holder });
      assert.equal(check(token).ok, true);
      await make('DELETE', `${path}/${name}`);
      assert.deepEqual(check(token), GONE);
    });
  }

  it('of a dying Pod hold for one minute more', async () => {
    const metadata = { name: 'dying', finalizers: ['example.com/hold'] };
    const pod = await created(`${NS}/pods`, { metadata, spec: { containers: [{ name: 'c', image: 'i' }] } });
    const { token } = tokens.issue(order({ pod }));
    await make('DELETE', `${NS}/pods/dying`);
    assert.equal(check(token).ok, true);
    await clock.advance(61_000);
    assert.deepEqual(check(token), GONE);
  });

  it('of a Pod tell of it and its Node, whose end is not theirs', async () => {
    const pod = await created(`${NS}/pods`, {
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    });
    const verdict = check(tokens.issue(order({ pod, node: { name: 'gone', uid: 'u' } })).token);
    assert.ok(verdict.ok);
    const { 'authentication.kubernetes.io/credential-id': _, ...extra } = verdict.user.extra ?? {};
    assert.deepEqual(extra, {
      'authentication.kubernetes.io/pod-name': ['p'],
      'authentication.kubernetes.io/pod-uid': [pod.uid],
      'authentication.kubernetes.io/node-name': ['gone'],
      'authentication.kubernetes.io/node-uid': ['u'],
    });
  });

  const wrong: [name: string, change: (claims: JsonObject) => JsonObject][] = [
    ['of another issuer', (c) => ({ ...c, iss: 'https://elsewhere' })],
    ['without an issuer', ({ iss: _, ...c }) => c],
    ['for another subject', (c) => ({ ...c, sub: 'system:serviceaccount:kube-system:admin' })],
    ['without an end', ({ exp: _, ...c }) => c],
    ['whose end is no number', (c) => ({ ...c, exp: 'never' })],
    ['without claims of Kubernetes', ({ 'kubernetes.io': _, ...c }) => c],
    ['without an account', (c) => ({ ...c, 'kubernetes.io': { namespace: 'default' } })],
  ];
  for (const [name, change] of wrong) {
    it(`signed by us but ${name} are refused`, () => {
      const claims = claimsOf(tokens.issue(order()).token);
      assert.deepEqual(check(signJwt(key, change(claims))), {
        ok: false,
        error: 'the claims of the token are not those of a service account',
      });
    });
  }

  it('that are none of ours get no reason', () => assert.deepEqual(check('abcdefgh'), { ok: false, error: '' }));

  it('with a wrong signature get one', () => {
    const { token } = tokens.issue(order());
    assert.deepEqual(check(`${token.slice(0, -4)}AAAA`), { ok: false, error: 'the signature of the token is wrong' });
  });

  it('are remembered in a bounded number, and still judged each time', () => {
    const all = Array.from({ length: 2100 }, () => tokens.issue(order()).token);
    for (const token of all) assert.equal(check(token).ok, true);
    assert.equal(check(all[0] ?? '').ok, true);
  });

  describe('of Secrets', () => {
    const legacy = async (labels: JsonObject = {}) => {
      const name = `kept-${serial++}`;
      const token = tokens.issueForSecret('default', account, name);
      const data = { token: Buffer.from(token).toString('base64') };
      await created(`${NS}/secrets`, { metadata: { name, labels }, data });
      return { name, token };
    };

    it('hold as long as the Secret holds them', async () => {
      const { name, token } = await legacy();
      const later = createFakeClock(clock.nowMs() + 10 * 365 * 86_400_000);
      const random = (length: number): Uint8Array => randomBytes(length);
      const inTenYears = createServiceAccountTokens({ store: api.engine.store, key, clock: later, random });
      const verdict = inTenYears.verify(token, tokens.audiences);
      assert.deepEqual(verdict.ok && [verdict.user.name, verdict.user.extra], [
        `system:serviceaccount:default:${account.name}`,
        undefined,
      ]);
      await make('PATCH', `${NS}/secrets/${name}`, { data: { token: 'eA==' } }, 'application/merge-patch+json');
      assert.deepEqual(check(token), GONE);
      await make('DELETE', `${NS}/secrets/${name}`);
      assert.deepEqual(check(token), GONE);
    });

    it('are for this API only', async () => {
      const { token } = await legacy();
      assert.equal(tokens.verify(token, ['vault']).ok, false);
    });

    it('can be retired', async () => {
      const { token } = await legacy({ 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' });
      assert.deepEqual(check(token), GONE);
    });
  });
});
