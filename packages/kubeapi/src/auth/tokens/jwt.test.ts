import assert from 'node:assert/strict';
import { createHmac, createPublicKey, createVerify, generateKeyPairSync, type JsonWebKey, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MAX_TOKEN_LENGTH, publicJwk, readSigningKey, type SigningKey, signJwt, verifyJwt } from './jwt.ts';
import { createSigningKeyPem } from './signing-key.ts';

const rsaPem = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ format: 'pem', type: 'pkcs8' })
  .toString();
const ES: SigningKey = keyOf(createSigningKeyPem());
const RS: SigningKey = keyOf(rsaPem);
const CLAIMS = { iss: 'https://kubernetes.default.svc', sub: 'system:serviceaccount:a:b', n: 1 };

function keyOf(pem: string): SigningKey {
  const key = readSigningKey(pem);
  assert.ok(key);
  return key;
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a token', () => {
  for (const key of [ES, RS]) {
    it(`signed with ${key.algorithm} is read back`, () => {
      assert.deepEqual(verifyJwt(key, signJwt(key, CLAIMS)), { ok: true, claims: CLAIMS });
    });

    it(`signed with ${key.algorithm} can be verified with the public key alone`, () => {
      const [header = '', body = '', signature = ''] = signJwt(key, CLAIMS).split('.');
      const jwk = publicJwk(key);
      assert.equal(jwk['kid'], JSON.parse(Buffer.from(header, 'base64url').toString()).kid);
      const publicKey = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
      const bytes = Buffer.from(signature, 'base64url');
      const isRight =
        key === RS
          ? createVerify('sha256').update(`${header}.${body}`).verify(publicKey, bytes)
          : verify('sha256', Buffer.from(`${header}.${body}`), { key: publicKey, dsaEncoding: 'ieee-p1363' }, bytes);
      assert.equal(isRight, true);
    });
  }

  it('of another key is forged', () => {
    const other = keyOf(createSigningKeyPem());
    assert.deepEqual(verifyJwt(ES, signJwt(other, CLAIMS)), { ok: false, foreign: false });
    assert.deepEqual(verifyJwt(ES, signJwt(RS, CLAIMS)), { ok: false, foreign: false });
    // Also when it says that it is of our key.
    const [, body = '', signature = ''] = signJwt(other, CLAIMS).split('.');
    const header = part({ alg: 'ES256', kid: ES.keyId });
    assert.deepEqual(verifyJwt(ES, `${header}.${body}.${signature}`), { ok: false, foreign: false });
  });

  const publicPem = ES.publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const headers: [name: string, header: unknown][] = [
    ['that wants no signature', { alg: 'none' }],
    ['that wants no signature, in capitals', { alg: 'NONE', kid: ES.keyId }],
    ['signed with the public key as a password', { alg: 'HS256', kid: ES.keyId }],
    ['of the other algorithm', { alg: 'RS256', kid: ES.keyId }],
    ['without an algorithm', { kid: ES.keyId }],
    ['whose algorithm is no text', { alg: ['ES256'], kid: ES.keyId }],
    ['with another key id', { alg: 'ES256', kid: 'other' }],
    ['with extensions that must be understood', { alg: 'ES256', kid: ES.keyId, crit: ['exp'] }],
    ['with a body that is not encoded', { alg: 'ES256', kid: ES.keyId, b64: false }],
  ];
  for (const [name, header] of headers) {
    it(`${name} is forged`, () => {
      const signed = `${part(header)}.${part(CLAIMS)}`;
      const mac = createHmac('sha256', publicPem).update(signed).digest('base64url');
      assert.deepEqual(verifyJwt(ES, `${signed}.${mac}`), { ok: false, foreign: false });
      const { length } = signJwt(ES, CLAIMS).split('.');
      assert.equal(length, 3);
    });
  }

  const foreign: [name: string, token: string][] = [
    ['empty', ''],
    ['a static one', 'some-static-token'],
    ['of two parts', `${part({ alg: 'ES256' })}.${part(CLAIMS)}`],
    ['without a signature', `${part({ alg: 'none' })}.${part(CLAIMS)}.`],
    ['of four parts', `${signJwt(ES, CLAIMS)}.x`],
    ['with a header that is no JSON', `${Buffer.from('{').toString('base64url')}.${part(CLAIMS)}.AAAA`],
    ['with a header that is a list', `${part([])}.${part(CLAIMS)}.AAAA`],
    ['with padding', `${signJwt(ES, CLAIMS)}=`],
    ['with a line break', `${signJwt(ES, CLAIMS)}\n`],
    ['too long', signJwt(ES, { ...CLAIMS, pad: 'x'.repeat(MAX_TOKEN_LENGTH) })],
    ['of deeply nested lists', `${Buffer.from('['.repeat(3000)).toString('base64url')}.e30.AAAA`],
  ];
  for (const [name, token] of foreign) {
    it(`${name} is none of ours`, () => assert.deepEqual(verifyJwt(ES, token), { ok: false, foreign: true }));
  }

  it('with any other letter in it is refused', () => {
    const token = signJwt(ES, CLAIMS);
    const letters = 'ABCxyz019-_.=';
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.nat(letters.length - 1), (at, letter) => {
        const changed = token.slice(0, at) + letters[letter] + token.slice(at + 1);
        assert.equal(verifyJwt(ES, changed).ok, changed === token);
      }),
      { numRuns: 2000 },
    );
  });

  it('cut short anywhere is refused', () => {
    const token = signJwt(ES, CLAIMS);
    for (let length = 0; length < token.length; length++) assert.equal(verifyJwt(ES, token.slice(0, length)).ok, false);
  });

  it('of any text never throws and is never taken for ours', () => {
    const texts = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.array(fc.string({ maxLength: 40 }), { minLength: 3, maxLength: 3 }).map((parts) => parts.join('.')),
      fc
        .array(fc.json(), { minLength: 3, maxLength: 3 })
        .map((all) => all.map((text) => Buffer.from(text).toString('base64url')).join('.')),
      fc
        .record({ alg: fc.constantFrom('ES256', 'none', 'RS256'), kid: fc.constant(ES.keyId) })
        .map((header) => `${part(header)}.${part(CLAIMS)}.${part(header)}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        assert.equal(verifyJwt(ES, text).ok, false);
        assert.equal(verifyJwt(RS, text).ok, false);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a signing key', () => {
  const refused: [name: string, pem: string][] = [
    ['no PEM', 'hello'],
    ['a short RSA key', pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }))],
    ['another curve', pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }))],
    ['a key of another kind', pemOf(generateKeyPairSync('ed25519'))],
    ['a public key', ES.publicKey.export({ format: 'pem', type: 'spki' }).toString()],
  ];
  for (const [name, pem] of refused)
    it(`is refused when it is ${name}`, () => assert.equal(readSigningKey(pem), undefined));

  it('has the same id each time it is read', () => assert.equal(keyOf(rsaPem).keyId, RS.keyId));
});

function pemOf({ privateKey }: { readonly privateKey: SigningKey['privateKey'] }): string {
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}
