import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';

/** A key that signs tokens, with the one algorithm that its tokens may name. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly algorithm: 'ES256' | 'RS256';
  /** SHA-256 of the public key, base64url: which key signed a token. */
  readonly keyId: string;
}

/** Tokens longer than this are refused unread. */
export const MAX_TOKEN_LENGTH = 8192;

/**
 * A signing key from PEM: P-256 or RSA of at least 2048 bits.
 *
 * @returns undefined for text that is no such key.
 */
export function readSigningKey(pem: string): SigningKey | undefined {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch {
    return undefined;
  }
  const algorithm = algorithmOf(privateKey);
  if (algorithm === undefined) return undefined;
  const publicKey = createPublicKey(privateKey);
  const keyId = createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('base64url');
  return { privateKey, publicKey, algorithm, keyId };
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): SigningKey['algorithm'] | undefined {
  if (asymmetricKeyType === 'rsa' && (asymmetricKeyDetails.modulusLength ?? 0) >= 2048) return 'RS256';
  return asymmetricKeyType === 'ec' && asymmetricKeyDetails.namedCurve === 'prime256v1' ? 'ES256' : undefined;
}

/** Sign claims: header, claims and signature, base64url, joined by dots (RFC 7515 section 7.1). */
export function signJwt(key: SigningKey, claims: JsonObject): string {
  const signed = `${encoded({ alg: key.algorithm, kid: key.keyId })}.${encoded(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** What a token turned out to be. */
export type JwtVerdict =
  | { readonly ok: true; readonly claims: JsonObject }
  /** `foreign`: no token of this key's kind at all; else its signature is wrong. */
  | { readonly ok: false; readonly foreign: boolean };

const FOREIGN: JwtVerdict = { ok: false, foreign: true };
const FORGED: JwtVerdict = { ok: false, foreign: false };
const TOKEN = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/**
 * Check a token's signature and read its claims; times and audiences are the caller's to judge. The algorithm is the key's:
 * what the header says can only make the token wrong. Nothing but the header is read of a token that is not signed by the key.
 * Never throws.
 */
export function verifyJwt(key: SigningKey, token: string): JwtVerdict {
  if (token.length > MAX_TOKEN_LENGTH) return FOREIGN;
  const [, head, body, signature] = TOKEN.exec(token) ?? [];
  if (head === undefined || body === undefined || signature === undefined) return FOREIGN;
  const header = decoded(head);
  if (header === undefined) return FOREIGN;
  const names = Object.keys(header);
  if (header['alg'] !== key.algorithm || names.includes('crit') || names.includes('b64')) return FORGED;
  if (header['kid'] !== undefined && header['kid'] !== key.keyId) return FORGED;
  const bytes = Buffer.from(signature, 'base64url');
  // One signature has one spelling only: unused bits at the end of base64 would give others.
  if (bytes.toString('base64url') !== signature) return FORGED;
  try {
    const isSigned = verify(
      'sha256',
      Buffer.from(`${head}.${body}`),
      { key: key.publicKey, dsaEncoding: 'ieee-p1363' },
      bytes,
    );
    const claims = isSigned ? decoded(body) : undefined;
    return claims === undefined ? FORGED : { ok: true, claims };
  } catch {
    // A signature of a length that the algorithm cannot have.
    return FORGED;
  }
}

/** The public half as a JSON Web Key (RFC 7517), for whoever verifies our tokens. */
export function publicJwk(key: SigningKey): JsonObject {
  const { kty, crv, x, y, n, e } = key.publicKey.export({ format: 'jwk' });
  const parts = Object.entries({ crv, x, y, n, e }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { use: 'sig', kty: kty ?? '', kid: key.keyId, alg: key.algorithm, ...Object.fromEntries(parts) };
}

function encoded(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decoded(part: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
