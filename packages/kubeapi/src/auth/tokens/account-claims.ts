import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { text } from '../../json-parts.ts';

/** An object that a token is bound to, or the account that it speaks for. */
export interface NamedObject {
  readonly name: string;
  readonly uid: string;
}

/** What a service account token says. */
export interface AccountClaims {
  readonly namespace: string;
  readonly account: NamedObject;
  /** Empty for the token of a Secret: it is for the API itself. */
  readonly audiences: readonly string[];
  readonly pod?: NamedObject;
  readonly secret?: NamedObject;
  readonly node?: NamedObject;
  /** Seconds since the epoch; undefined for the token of a Secret, which holds as long as the Secret does. */
  readonly times?: { readonly issued: number; readonly notBefore: number; readonly expires: number };
  /** The `jti` of the token. */
  readonly id?: string;
}

/** Issuer of the tokens that are kept in Secrets. */
const SECRET_TOKEN_ISSUER = 'kubernetes/serviceaccount';
const LEGACY = 'kubernetes.io/serviceaccount/';

/** Claims as they stand in a token. */
export function claimsJson(issuer: string, claims: AccountClaims): JsonObject {
  const { namespace, account, times, id, pod, secret, node } = claims;
  const sub = `system:serviceaccount:${namespace}:${account.name}`;
  if (times === undefined) {
    return {
      iss: SECRET_TOKEN_ISSUER,
      [`${LEGACY}namespace`]: namespace,
      [`${LEGACY}secret.name`]: secret?.name ?? '',
      [`${LEGACY}service-account.name`]: account.name,
      [`${LEGACY}service-account.uid`]: account.uid,
      sub,
    };
  }
  return {
    aud: [...claims.audiences],
    exp: times.expires,
    iat: times.issued,
    iss: issuer,
    jti: id ?? '',
    'kubernetes.io': {
      namespace,
      ...(node === undefined ? {} : { node: { ...node } }),
      ...(pod === undefined ? {} : { pod: { ...pod } }),
      ...(secret === undefined ? {} : { secret: { ...secret } }),
      serviceaccount: { ...account },
    },
    nbf: times.notBefore,
    sub,
  };
}

/** Read the claims of a token whose signature is right. Undefined: they are no claims of a service account of this issuer. */
export function readClaims(issuer: string, claims: JsonObject): AccountClaims | undefined {
  const read = claims['iss'] === SECRET_TOKEN_ISSUER ? readLegacy(claims) : readBound(issuer, claims);
  if (read === undefined) return undefined;
  return claims['sub'] === `system:serviceaccount:${read.namespace}:${read.account.name}` ? read : undefined;
}

function readLegacy(claims: JsonObject): AccountClaims | undefined {
  const namespace = text(claims[`${LEGACY}namespace`]);
  const name = text(claims[`${LEGACY}service-account.name`]);
  const uid = text(claims[`${LEGACY}service-account.uid`]);
  const secret = text(claims[`${LEGACY}secret.name`]);
  if (namespace === '' || name === '' || uid === '' || secret === '') return undefined;
  return { namespace, account: { name, uid }, audiences: [], secret: { name: secret, uid: '' } };
}

function readBound(issuer: string, claims: JsonObject): AccountClaims | undefined {
  const own = claims['kubernetes.io'];
  if (claims['iss'] !== issuer || !isJsonObject(own)) return undefined;
  const account = named(own['serviceaccount']);
  const [issued, notBefore, expires] = [claims['iat'], claims['nbf'], claims['exp']].map(Number);
  const namespace = text(own['namespace']);
  const audiences = Array.isArray(claims['aud']) ? claims['aud'].map(text) : [text(claims['aud'])];
  if (account === undefined || namespace === '' || ![issued, notBefore, expires].every(Number.isFinite))
    return undefined;
  const [pod, secret, node] = [named(own['pod']), named(own['secret']), named(own['node'])];
  return {
    namespace,
    account,
    audiences,
    times: { issued: issued ?? 0, notBefore: notBefore ?? 0, expires: expires ?? 0 },
    id: text(claims['jti']),
    ...(pod === undefined ? {} : { pod }),
    ...(secret === undefined ? {} : { secret }),
    ...(node === undefined ? {} : { node }),
  };
}

function named(value: Json | undefined): NamedObject | undefined {
  if (!isJsonObject(value)) return undefined;
  const name = text(value['name']);
  const uid = text(value['uid']);
  return name === '' || uid === '' ? undefined : { name, uid };
}
