import type { RandomBytes } from '@bloomery/ports';
import { issueCertificate, loadCertificateAuthority, talosKeyPem } from '../certificates/index.ts';
import { writeYaml } from '../yaml/index.ts';
import type { SecretsBundle } from './secrets-bundle.ts';

/** Everything that Talos lets a client do. */
export const ADMIN_ROLE = 'os:admin';

/** What a client configuration is made from. */
export interface TalosconfigSource {
  readonly bundle: Pick<SecretsBundle, 'os'>;
  readonly clusterName: string;
  /** Addresses of control-plane machines. */
  readonly endpoints: readonly string[];
  /** os:admin unless given. */
  readonly roles?: readonly string[];
  readonly nowMs: number;
  readonly random: RandomBytes;
}

const CLIENT_LIFE_MS = 8_760 * 3_600_000;

/** A new client certificate and the `talosconfig` around it, valid for a year. */
export async function createTalosconfig(source: TalosconfigSource): Promise<string> {
  const { bundle, clusterName, nowMs } = source;
  const authority = loadCertificateAuthority(bundle.os.crt, bundle.os.key);
  const client = await issueCertificate(authority, {
    subject: { organizations: [...(source.roles ?? [ADMIN_ROLE])].sort() },
    algorithm: 'ed25519',
    notBefore: new Date(nowMs),
    notAfter: new Date(nowMs + CLIENT_LIFE_MS),
    extendedKeyUsages: ['clientAuth'],
    random: source.random,
  });
  const encoded = (pem: string): string => Buffer.from(pem).toString('base64');
  const context = {
    endpoints: source.endpoints,
    ca: encoded(bundle.os.crt),
    crt: encoded(client.certificatePem),
    key: encoded(talosKeyPem(client.key)),
  };
  return writeYaml({ context: clusterName, contexts: { [clusterName]: context } });
}
