import { createHash, timingSafeEqual } from 'node:crypto';
import { ANONYMOUS, authenticated, type User } from './user.ts';

/** A client certificate as the TLS layer saw it. */
export interface PeerCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** Signed by our client CA and within its validity. */
  readonly trusted: boolean;
}

/** A static bearer token, as in Kubernetes' token file: `token,user,uid,"group1,group2"`. */
export interface StaticToken {
  /** SHA-256 of the token: the token itself is not kept. */
  readonly digest: Uint8Array;
  readonly user: User;
}

/** Read a static token file. Lines that are not of the form are passed over. */
export function parseTokenFile(text: string): readonly StaticToken[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([^,\s]{8,}),([^,"]+),([^,"]*)(?:,"?([^"]*)"?)?\s*$/.exec(line);
    if (match === null) return [];
    const [, token = '', name = '', uid = '', groups = ''] = match;
    return [{ digest: digestOf(token), user: authenticated(name, groups.split(',').filter(Boolean), uid) }];
  });
}

/**
 * Who is calling. A credential that was presented and is wrong is refused, also where anonymous callers are allowed.
 *
 * @returns undefined for wrong credentials (401).
 */
export function authenticate(
  certificate: PeerCertificate | undefined,
  authorization: string | undefined,
  tokens: readonly StaticToken[],
): User | undefined {
  if (authorization !== undefined) {
    const token = /^Bearer +([^\s]{1,8192})$/i.exec(authorization)?.[1];
    if (token === undefined) return undefined;
    const digest = digestOf(token);
    return tokens.find((known) => timingSafeEqual(known.digest, digest))?.user;
  }
  if (certificate === undefined) return ANONYMOUS;
  if (!certificate.trusted || certificate.commonName === '') return undefined;
  return authenticated(certificate.commonName, certificate.organizations);
}

function digestOf(token: string): Uint8Array {
  return createHash('sha256').update(token).digest();
}
