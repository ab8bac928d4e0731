import type { Clock } from '@bloomery/ports';
import type { StaticTokens } from './token-file.ts';
import { MAX_TOKEN_LENGTH } from './tokens/jwt.ts';
import type { ServiceAccountTokens, TokenVerdict } from './tokens/service-account-tokens.ts';
import { ANONYMOUS, authenticated, type User } from './user.ts';

/** A client certificate as the TLS layer saw it. */
export interface PeerCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** Signed by our client CA and within its validity when the connection began. */
  readonly trusted: boolean;
  /** Milliseconds since the epoch: a connection may outlive its certificate. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Finds out who is calling. */
export interface Authenticator {
  /**
   * Who presents this certificate and this Authorization header. A credential that was presented and is wrong is refused, also
   * where anonymous callers are allowed; a token counts before a certificate.
   *
   * @returns undefined for wrong credentials (401).
   */
  authenticate(certificate: PeerCertificate | undefined, authorization: string | undefined): User | undefined;
  /** Whose bearer token it is. `audiences` empty: the API's own. */
  review(token: string, audiences: readonly string[]): TokenVerdict;
}

const INVALID = 'invalid bearer token';
const BEARER = /^Bearer +([^\s]+)$/i;

/** Make the authenticator of client certificates, static tokens and service account tokens. */
export function createAuthenticator(deps: {
  readonly clock: Clock;
  readonly staticTokens: StaticTokens;
  readonly accountTokens: ServiceAccountTokens;
}): Authenticator {
  const { clock, staticTokens, accountTokens } = deps;

  function review(token: string, asked: readonly string[]): TokenVerdict {
    if (token.length > MAX_TOKEN_LENGTH) return { ok: false, error: INVALID };
    const audiences = asked.length === 0 ? accountTokens.audiences : asked;
    const user = staticTokens(token);
    if (user !== undefined) {
      const shared = audiences.filter((audience) => accountTokens.audiences.includes(audience));
      return shared.length === 0 ? { ok: false, error: INVALID } : { ok: true, user, audiences: shared };
    }
    const verdict = accountTokens.verify(token, audiences);
    if (verdict.ok) return verdict;
    return { ok: false, error: verdict.error === '' ? INVALID : `[${INVALID}, ${verdict.error}]` };
  }

  return {
    authenticate(certificate, authorization) {
      if (authorization !== undefined) {
        if (authorization.length > MAX_TOKEN_LENGTH + 16) return undefined;
        const token = BEARER.exec(authorization)?.[1];
        if (token === undefined) return undefined;
        const verdict = review(token, []);
        return verdict.ok ? verdict.user : undefined;
      }
      if (certificate === undefined) return ANONYMOUS;
      const now = clock.nowMs();
      const holds = certificate.trusted && now >= certificate.notBeforeMs && now <= certificate.notAfterMs;
      if (!holds || certificate.commonName === '') return undefined;
      return authenticated(certificate.commonName, certificate.organizations);
    },
    review,
  };
}
