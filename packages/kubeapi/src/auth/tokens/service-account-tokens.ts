import { createHash, timingSafeEqual } from 'node:crypto';
import { isJsonObject, type JsonObject } from '@bloomery/model';
import type { Clock, RandomBytes } from '@bloomery/ports';
import type { ApiObject } from '../../api-object.ts';
import { freshUid } from '../../pipeline/fresh-name.ts';
import type { Store } from '../../store/store.ts';
import { authenticated, type User } from '../user.ts';
import { type AccountClaims, claimsJson, type NamedObject, readClaims } from './account-claims.ts';
import { publicJwk, type SigningKey, signJwt, verifyJwt } from './jwt.ts';

/** Whose token it is, and for which of the asked audiences; or why it is refused ('' when it is none of ours). */
export type TokenVerdict =
  | { readonly ok: true; readonly user: User; readonly audiences: readonly string[] }
  | { readonly ok: false; readonly error: string };

/** What a new token shall say. */
export interface TokenOrder {
  readonly namespace: string;
  readonly account: NamedObject;
  readonly audiences: readonly string[];
  readonly lifetimeSeconds: number;
  readonly pod?: NamedObject;
  readonly secret?: NamedObject;
  readonly node?: NamedObject;
}

/** Makes and checks the tokens of service accounts. */
export interface ServiceAccountTokens {
  readonly issuer: string;
  readonly algorithm: SigningKey['algorithm'];
  /** The audiences that this API itself answers to. */
  readonly audiences: readonly string[];
  issue(order: TokenOrder): { readonly token: string; readonly expiresMs: number };
  /** A token without an end, for a Secret of type kubernetes.io/service-account-token. */
  issueForSecret(namespace: string, account: NamedObject, secretName: string): string;
  /** Never throws; `audiences` are those that one of must be the token's. */
  verify(token: string, audiences: readonly string[]): TokenVerdict;
  /** The JSON Web Key Set that others verify these tokens with. */
  keySet(): JsonObject;
}

export interface ServiceAccountTokensDeps {
  readonly store: Store;
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** DEFAULT_ISSUER unless given. */
  readonly issuer?: string;
}

/** What Kubernetes' own installers take as the issuer: clients that know none of ours ask for this audience. */
export const DEFAULT_ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** Clocks of issuer and verifier may differ by this: the server's own may be set back. */
const LEEWAY_SECONDS = 60;
/** A dying account or object is good for this long: what runs with it ends in good order. */
const DYING_MS = 60_000;
/** Tokens whose signature is known to be right. The oldest go. */
const KNOWN_TOKENS = 2048;

const WRONG: TokenVerdict = { ok: false, error: '' };
const refused = (error: string): TokenVerdict => ({ ok: false, error });

/** Make the issuer and verifier over one key. */
export function createServiceAccountTokens(deps: ServiceAccountTokensDeps): ServiceAccountTokens {
  const { store, key, clock, random, issuer = DEFAULT_ISSUER } = deps;
  const known = new Map<string, AccountClaims>();

  function claimsOf(token: string): AccountClaims | TokenVerdict {
    const digest = createHash('sha256').update(token).digest('base64');
    const remembered = known.get(digest);
    if (remembered !== undefined) return remembered;
    const verdict = verifyJwt(key, token);
    if (!verdict.ok) return verdict.foreign ? WRONG : refused('the signature of the token is wrong');
    const claims = readClaims(issuer, verdict.claims);
    if (claims === undefined) return refused('the claims of the token are not those of a service account');
    const [oldest] = known.keys();
    if (known.size >= KNOWN_TOKENS && oldest !== undefined) known.delete(oldest);
    known.set(digest, claims);
    return claims;
  }

  function lives(resource: string, namespace: string, wanted: NamedObject | undefined): boolean {
    if (wanted === undefined) return true;
    const object = store.get({ resource, namespace, name: wanted.name });
    if (object === undefined || object.metadata.uid !== wanted.uid) return false;
    const { deletionTimestamp } = object.metadata;
    return deletionTimestamp === undefined || clock.nowMs() - Date.parse(deletionTimestamp) < DYING_MS;
  }

  function problemOf(claims: AccountClaims, token: string): string | undefined {
    const { namespace, account, times, pod, secret, node } = claims;
    if (!lives('serviceaccounts', namespace, account)) return 'service account token has been invalidated';
    if (times === undefined) {
      const kept = store.get({ resource: 'secrets', namespace, name: secret?.name ?? '' });
      return kept !== undefined && holdsToken(kept, token) ? undefined : 'service account token has been invalidated';
    }
    const now = Math.floor(clock.nowMs() / 1000);
    if (now > times.expires + LEEWAY_SECONDS) return 'service account token has expired';
    if (now < times.notBefore - LEEWAY_SECONDS) return 'service account token is not valid yet';
    const isBound = lives('pods', namespace, pod) && lives('secrets', namespace, secret);
    // A Pod's Node is told for information; only a token bound to the Node itself ends with it.
    return isBound && (pod !== undefined || lives('nodes', '', node))
      ? undefined
      : 'service account token has been invalidated';
  }

  return {
    issuer,
    algorithm: key.algorithm,
    audiences: [issuer],
    issue({ lifetimeSeconds, ...order }) {
      const issued = Math.floor(clock.nowMs() / 1000);
      const times = { issued, notBefore: issued, expires: issued + lifetimeSeconds };
      const token = signJwt(key, claimsJson(issuer, { ...order, times, id: freshUid(random) }));
      return { token, expiresMs: times.expires * 1000 };
    },
    issueForSecret: (namespace, account, secretName) =>
      signJwt(key, claimsJson(issuer, { namespace, account, audiences: [], secret: { name: secretName, uid: '' } })),
    verify(token, audiences) {
      const claims = claimsOf(token);
      if ('ok' in claims) return claims;
      const own = claims.times === undefined ? [issuer] : claims.audiences;
      const shared = audiences.filter((audience) => own.includes(audience));
      if (shared.length === 0) return refused(audienceText(own, audiences));
      const problem = problemOf(claims, token);
      return problem === undefined ? { ok: true, user: userOf(claims), audiences: shared } : refused(problem);
    },
    keySet: () => ({ keys: [publicJwk(key)] }),
  };
}

function userOf({ namespace, account, id, pod, node }: AccountClaims): User {
  const prefix = 'authentication.kubernetes.io/';
  const extra = {
    ...(id === undefined ? {} : { [`${prefix}credential-id`]: [`JTI=${id}`] }),
    ...(pod === undefined ? {} : { [`${prefix}pod-name`]: [pod.name], [`${prefix}pod-uid`]: [pod.uid] }),
    ...(node === undefined ? {} : { [`${prefix}node-name`]: [node.name], [`${prefix}node-uid`]: [node.uid] }),
  };
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
  return authenticated(`system:serviceaccount:${namespace}:${account.name}`, groups, account.uid, extra);
}

/** The Secret still holds this very token, and nobody has marked it as retired. */
function holdsToken(secret: ApiObject, token: string): boolean {
  if (secret.metadata.labels?.['kubernetes.io/legacy-token-invalid-since'] !== undefined) return false;
  const data = isJsonObject(secret['data']) ? secret['data'] : {};
  const kept = Buffer.from(String(data['token'] ?? ''), 'base64');
  const given = Buffer.from(token);
  return kept.length === given.length && timingSafeEqual(kept, given);
}

function audienceText(own: readonly string[], wanted: readonly string[]): string {
  const list = (all: readonly string[]): string => `[${all.map((text) => JSON.stringify(text)).join(' ')}]`;
  return `token audiences ${list(own)} is invalid for the target audiences ${list(wanted)}`;
}
