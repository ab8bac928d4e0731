import { randomBytes, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '@bloomery/ports';
import {
  type CertificateAuthority,
  createCertificateAuthority,
  issueCertificate,
  loadCertificateAuthority,
} from '@bloomery/talos';
import { parseTokenFile, type StaticToken } from './authenticate.ts';
import { MASTERS } from './user.ts';

/** Everything the HTTPS listener and its first user need. PEM texts. */
export interface ServerCredentials {
  readonly caPem: string;
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly tokens: readonly StaticToken[];
  readonly adminCertificatePem: string;
  readonly adminKeyPem: string;
}

const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
const LEAF_DAYS = 365;
/** Leaves are made anew at a start when less than this is left of them. */
const RENEW_DAYS = 90;

/**
 * Load or make `DIR/pki`: an authority for servers and clients, the server's certificate for these names, the admin's client
 * certificate, and a token file with one admin token. All files 0600.
 *
 * @param names host names and addresses that clients use.
 */
export async function loadCredentials(dir: string, names: readonly string[], clock: Clock): Promise<ServerCredentials> {
  const pki = join(dir, 'pki');
  mkdirSync(pki, { recursive: true, mode: 0o700 });
  const now = clock.nowMs();
  const validity = (days: number) => ({
    notBefore: new Date(now - 3_600_000),
    notAfter: new Date(now + days * DAY_MS),
  });
  const authority = await loadAuthority(pki, () =>
    createCertificateAuthority({ subject: { commonName: 'bloomery' }, algorithm: 'ecdsa-p256', ...validity(CA_DAYS) }),
  );
  const leaf = async (name: string, make: () => ReturnType<typeof issueCertificate>, wanted: readonly string[]) => {
    const certificate = join(pki, `${name}.crt`);
    const key = join(pki, `${name}.key`);
    if (existsSync(certificate) && existsSync(key)) {
      const certificatePem = readFileSync(certificate, 'utf8');
      if (isStillGood(certificatePem, authority, now, wanted))
        return { certificatePem, keyPem: readFileSync(key, 'utf8') };
    }
    const made = await make();
    writePrivate(certificate, made.certificatePem);
    writePrivate(key, made.keyPem);
    return made;
  };
  const server = await leaf(
    'server',
    () =>
      issueCertificate(authority, {
        // Another name than the authority's: OpenSSL takes equal names for a self-signed certificate.
        subject: { commonName: 'bloomery-apiserver' },
        names,
        extendedKeyUsages: ['serverAuth'],
        algorithm: 'ecdsa-p256',
        ...validity(LEAF_DAYS),
      }),
    names,
  );
  const admin = await leaf(
    'admin',
    () =>
      issueCertificate(authority, {
        subject: { commonName: 'bloomery-admin', organizations: [MASTERS] },
        extendedKeyUsages: ['clientAuth'],
        algorithm: 'ecdsa-p256',
        ...validity(LEAF_DAYS),
      }),
    [],
  );
  return {
    caPem: authority.certificatePem,
    certificatePem: server.certificatePem,
    keyPem: server.keyPem,
    tokens: parseTokenFile(tokenFile(pki)),
    adminCertificatePem: admin.certificatePem,
    adminKeyPem: admin.keyPem,
  };
}

/** A kubeconfig for the admin. Write it with mode 0600. */
export function adminKubeconfig(credentials: ServerCredentials, server: string): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return `apiVersion: v1
kind: Config
clusters:
- name: bloomery
  cluster:
    server: ${server}
    certificate-authority-data: ${base64(credentials.caPem)}
contexts:
- name: bloomery
  context: {cluster: bloomery, user: bloomery-admin, namespace: default}
current-context: bloomery
preferences: {}
users:
- name: bloomery-admin
  user:
    client-certificate-data: ${base64(credentials.adminCertificatePem)}
    client-key-data: ${base64(credentials.adminKeyPem)}
`;
}

async function loadAuthority(pki: string, make: () => Promise<CertificateAuthority>): Promise<CertificateAuthority> {
  const certificate = join(pki, 'ca.crt');
  const key = join(pki, 'ca.key');
  if (existsSync(certificate) && existsSync(key)) {
    return loadCertificateAuthority(readFileSync(certificate, 'utf8'), readFileSync(key, 'utf8'));
  }
  const made = await make();
  writePrivate(key, made.keyPem);
  writePrivate(certificate, made.certificatePem);
  return made;
}

function isStillGood(
  certificatePem: string,
  authority: CertificateAuthority,
  nowMs: number,
  names: readonly string[],
): boolean {
  const certificate = new X509Certificate(certificatePem);
  // An authority that was lost and made again has not signed it.
  if (!certificate.verify(new X509Certificate(authority.certificatePem).publicKey)) return false;
  const covers = (name: string): boolean =>
    (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
  return certificate.validToDate.getTime() - nowMs > RENEW_DAYS * DAY_MS && names.every(covers);
}

function tokenFile(pki: string): string {
  const file = join(pki, 'tokens.csv');
  if (!existsSync(file)) {
    writePrivate(file, `${randomBytes(24).toString('base64url')},bloomery-admin,,"${MASTERS}"\n`);
  }
  return readFileSync(file, 'utf8');
}

function writePrivate(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text, { mode: 0o600, flush: true });
  chmodSync(`${file}.tmp`, 0o600);
  renameSync(`${file}.tmp`, file);
}
