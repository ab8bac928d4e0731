import type { TLSSocket } from 'node:tls';
import type { CertifiedPeer } from './grpc-service.ts';

/** Whom the client certificate of this connection names; undefined without TLS, without one, and with one that is not believed. */
export function certifiedPeer(socket: unknown): CertifiedPeer | undefined {
  if (!isTls(socket) || !socket.authorized) return undefined;
  const subject: object = socket.getPeerCertificate().subject;
  const named = (part: string): string[] =>
    Object.entries(subject).flatMap(([key, value]) => (key === part ? value : []));
  return { commonName: named('CN')[0] ?? '', organizations: named('O') };
}

/** Sockets of HTTP/2 sessions are proxies: neither a class test nor `in` sees through them. */
function isTls(socket: unknown): socket is Pick<TLSSocket, 'authorized' | 'getPeerCertificate'> {
  return (
    typeof socket === 'object' && socket !== null && typeof Reflect.get(socket, 'getPeerCertificate') === 'function'
  );
}
