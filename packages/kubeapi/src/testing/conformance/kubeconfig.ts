import { writeFileSync } from 'node:fs';
import type { ClientIdentity } from '../client-identity.ts';

/** Write a kubeconfig of one user of a client certificate, mode 0600. */
export function writeKubeconfig(file: string, url: string, caPem: string, user: ClientIdentity): void {
  const base64 = (text = ''): string => Buffer.from(text).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority-data': base64(caPem) } }],
    users: [{ name: 'u', user: { 'client-certificate-data': base64(user.cert), 'client-key-data': base64(user.key) } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u', namespace: 'default' } }],
    'current-context': 'c',
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
}
