import type { Http2ServerRequest } from 'node:http2';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { PeerCertificate } from '../auth/authenticate.ts';

const known = new WeakMap<object, PeerCertificate | { readonly none: true }>();

/** The client certificate of a request's connection, looked up once for each connection. Undefined: none was presented. */
export function peerCertificateOf(request: Http2ServerRequest): PeerCertificate | undefined {
  const connection: object = request.stream?.session ?? request.socket;
  let found = known.get(connection);
  if (found === undefined) {
    found = readCertificate(request.socket) ?? { none: true };
    known.set(connection, found);
  }
  return 'none' in found ? undefined : found;
}

function readCertificate(socket: unknown): PeerCertificate | undefined {
  const tls = socket as Pick<TLSSocket, 'getPeerCertificate' | 'authorized'>;
  if (typeof tls?.getPeerCertificate !== 'function') return undefined;
  const certificate: Partial<DetailedPeerCertificate> | null = tls.getPeerCertificate(true);
  const subject = certificate?.subject as Readonly<Record<string, string | string[]>> | undefined;
  if (subject === undefined) {
    // A certificate without a subject is a credential, and a wrong one.
    const isThere = certificate?.raw !== undefined;
    return isThere ? { commonName: '', organizations: [], trusted: false, notBeforeMs: 0, notAfterMs: 0 } : undefined;
  }
  const list = (value: string | string[] | undefined): string[] =>
    value === undefined ? [] : Array.isArray(value) ? value : [value];
  return {
    commonName: list(subject['CN'])[0] ?? '',
    organizations: list(subject['O']),
    trusted: tls.authorized,
    notBeforeMs: Date.parse(certificate?.valid_from ?? ''),
    notAfterMs: Date.parse(certificate?.valid_to ?? ''),
  };
}
