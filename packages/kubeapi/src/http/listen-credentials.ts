import type { Http2SecureServer } from 'node:http2';
import type { ServerCredentials } from '../auth/credentials.ts';

type ListenerPems = Pick<ServerCredentials, 'certificatePem' | 'keyPem' | 'clientCaPems'>;

/** The certificates of the listener. They may be replaced while it runs. */
export interface ListenCredentials {
  readonly current: ListenerPems;
  /** Calls back with each replacement, until the returned function is called. */
  onReplaced(listener: (next: ListenerPems) => void): () => void;
}

/** TLS options that stand for one state of the credentials. */
export function tlsContextOf({ keyPem, certificatePem, clientCaPems }: ListenerPems) {
  const minVersion = 'TLSv1.2' as const;
  return { key: keyPem, cert: certificatePem, ca: [...clientCaPems], minVersion };
}

/** New connections get the newest certificates, open ones keep theirs. Returns how to end that. */
export function followCredentials(server: Http2SecureServer, credentials: ListenCredentials): () => void {
  return credentials.onReplaced((next) => server.setSecureContext(tlsContextOf(next)));
}
