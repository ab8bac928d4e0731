import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '@bloomery/ports';
import fc from 'fast-check';
import { createAuthenticator, type PeerCertificate } from './authenticate.ts';
import { parseTokenFile, staticTokens } from './token-file.ts';
import type { ServiceAccountTokens, TokenVerdict } from './tokens/service-account-tokens.ts';
import { ANONYMOUS, authenticated } from './user.ts';

const NOW = 1_000_000;
const JANE = authenticated('jane', ['dev']);
const CERTIFICATE: PeerCertificate = {
  commonName: 'anna',
  organizations: ['ops'],
  trusted: true,
  notBeforeMs: NOW - 1000,
  notAfterMs: NOW + 1000,
};
const NO: TokenVerdict = { ok: false, error: '' };
const accountTokens: ServiceAccountTokens = {
  issuer: 'us',
  algorithm: 'ES256',
  audiences: ['us'],
  issue: () => ({ token: '', expiresMs: 0 }),
  issueForSecret: () => '',
  verify: (token, audiences) => {
    if (token === 'expired-token') return { ok: false, error: 'service account token has expired' };
    return token === 'account-token' ? { ok: true, user: authenticated('account', []), audiences } : NO;
  },
  keySet: () => ({}),
};

describe('a caller', () => {
  const clock = createFakeClock(NOW);
  const tokens = staticTokens(parseTokenFile('static-token,jane,,dev'));
  const authenticator = createAuthenticator({ clock, staticTokens: tokens, accountTokens });
  const who = (certificate?: PeerCertificate, authorization?: string) =>
    authenticator.authenticate(certificate, authorization);

  it('without credentials is anonymous', () => assert.deepEqual(who(), ANONYMOUS));

  it('is known by certificate, static token or service account token', () => {
    assert.deepEqual(who(CERTIFICATE), authenticated('anna', ['ops']));
    assert.deepEqual(who(undefined, 'Bearer static-token'), JANE);
    assert.deepEqual(who(undefined, 'bearer   static-token'), JANE);
    assert.equal(who(undefined, 'Bearer account-token')?.name, 'account');
  });

  it('is known by the token when there is a certificate too', () =>
    assert.deepEqual(who(CERTIFICATE, 'Bearer static-token'), JANE));

  const wrong: [name: string, certificate: PeerCertificate | undefined, authorization?: string][] = [
    ['a certificate of another authority', { ...CERTIFICATE, trusted: false }],
    ['a certificate without a name', { ...CERTIFICATE, commonName: '' }],
    ['a certificate that ended while the connection was open', { ...CERTIFICATE, notAfterMs: NOW - 1 }],
    ['a certificate that is not valid yet', { ...CERTIFICATE, notBeforeMs: NOW + 1 }],
    ['a certificate of unreadable times', { ...CERTIFICATE, notAfterMs: Number.NaN }],
    ['an unknown token', undefined, 'Bearer unknown-token'],
    ['an unknown token beside a right certificate', CERTIFICATE, 'Bearer unknown-token'],
    ['an expired token', undefined, 'Bearer expired-token'],
    ['no token', undefined, 'Bearer '],
    ['two tokens', undefined, 'Bearer static-token static-token'],
    ['a token of another scheme', undefined, 'Basic static-token'],
    ['an empty header', undefined, ''],
    ['a huge header', undefined, `Bearer ${'x'.repeat(100_000)}`],
  ];
  for (const [name, certificate, authorization] of wrong)
    it(`with ${name} is refused`, () => assert.equal(who(certificate, authorization), undefined));

  it('is never anonymous with any header at all, and nothing throws', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        const user = who(undefined, header);
        assert.notDeepEqual(user, ANONYMOUS);
      }),
    );
  });

  it('asks about tokens for other audiences only through service accounts', () => {
    assert.deepEqual(authenticator.review('static-token', ['them']), { ok: false, error: 'invalid bearer token' });
    assert.deepEqual(authenticator.review('static-token', ['them', 'us']), { ok: true, user: JANE, audiences: ['us'] });
    const expired = { ok: false, error: '[invalid bearer token, service account token has expired]' };
    assert.deepEqual(authenticator.review('expired-token', []), expired);
  });
});
