import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { BloomeryError, type Clock, errorText } from '@bloomery/ports';
import {
  type CertificateAuthority,
  type CertificateSource,
  createCertificateAuthority,
  issueCertificate,
  loadCertificateAuthority,
} from '@bloomery/talos';
import { writeDurably } from '../store/store-files.ts';
import { MASTERS } from './user.ts';

/** Everything the HTTPS listener and its first user need. PEM texts. */
export interface ServerCredentials {
  readonly caPem: string;
  readonly caNotAfterMs: number;
  /** Whose client certificates are believed: ours, and the operator's. */
  readonly clientCaPems: readonly string[];
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly adminCertificatePem: string;
  readonly adminKeyPem: string;
  /** The token file, `DIR/pki/tokens.csv`. */
  readonly tokenFile: string;
}

/** Where credentials are and for whom they are made. */
export interface CredentialSource {
  /** The data directory; everything is in its `pki`. */
  readonly dir: string;
  /** Host names and addresses that clients use. */
  readonly names: readonly string[];
  /** PEM file with further authorities of client certificates. */
  readonly clientCaFile?: string | undefined;
}

const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
const LEAF_DAYS = 365;
/** Leaves are made anew when less than this is left of them. */
const RENEW_DAYS = 90;

/**
 * Load or make `DIR/pki`: an authority for servers and clients, the server's certificate for these names, the admin's client
 * certificate, and a token file with one admin token. All files 0600. Leaves that end within 90 days, lack a name or are of
 * another authority are made anew; none outlives the authority.
 */
export async function loadCredentials(source: CredentialSource, clock: Clock): Promise<ServerCredentials> {
  const pki = join(source.dir, 'pki');
  mkdirSync(pki, { recursive: true, mode: 0o700 });
  const now = clock.nowMs();
  const authority = await loadAuthority(pki, now);
  const server = await loadLeaf({ pki, file: 'server', authority, now }, source.names, {
    // Another name than the authority's: OpenSSL takes equal names for a self-signed certificate.
    subject: { commonName: 'bloomery-apiserver' },
    extendedKeyUsages: ['serverAuth'],
  });
  const admin = await loadLeaf({ pki, file: 'admin', authority, now }, [], {
    subject: { commonName: 'bloomery-admin', organizations: [MASTERS] },
    extendedKeyUsages: ['clientAuth'],
  });
  const { clientCaFile } = source;
  return {
    caPem: authority.certificatePem,
    caNotAfterMs: endOf(authority.certificatePem),
    clientCaPems: [authority.certificatePem, ...(clientCaFile === undefined ? [] : [readClientCa(clientCaFile)])],
    certificatePem: server.certificatePem,
    keyPem: server.keyPem,
    adminCertificatePem: admin.certificatePem,
    adminKeyPem: admin.keyPem,
    tokenFile: loadTokenFile(pki),
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

async function loadAuthority(pki: string, now: number): Promise<CertificateAuthority> {
  const certificate = join(pki, 'ca.crt');
  const key = join(pki, 'ca.key');
  if (existsSync(certificate) && existsSync(key)) {
    try {
      return loadCertificateAuthority(readFileSync(certificate, 'utf8'), readFileSync(key, 'utf8'));
    } catch (cause) {
      const message = `reading the certificate authority ${certificate} with ${key}: ${errorText(cause)}`;
      throw new BloomeryError('BLM_API_AUTHORITY', message, { facts: { certificate, key }, cause });
    }
  }
  const made = await createCertificateAuthority({
    subject: { commonName: 'bloomery' },
    algorithm: 'ecdsa-p256',
    notBefore: new Date(now - 3_600_000),
    notAfter: new Date(now + CA_DAYS * DAY_MS),
  });
  writeDurably(key, made.keyPem);
  writeDurably(certificate, made.certificatePem);
  return made;
}

interface LeafPlace {
  readonly pki: string;
  readonly file: string;
  readonly authority: CertificateAuthority;
  readonly now: number;
}

async function loadLeaf(
  { pki, file, authority, now }: LeafPlace,
  names: readonly string[],
  source: Pick<CertificateSource, 'subject' | 'extendedKeyUsages'>,
): Promise<{ readonly certificatePem: string; readonly keyPem: string }> {
  const certificate = join(pki, `${file}.crt`);
  const key = join(pki, `${file}.key`);
  const notAfterMs = Math.min(now + LEAF_DAYS * DAY_MS, endOf(authority.certificatePem));
  if (existsSync(certificate) && existsSync(key)) {
    const pems = { certificatePem: readFileSync(certificate, 'utf8'), keyPem: readFileSync(key, 'utf8') };
    if (isPair(pems) && isStillGood(pems.certificatePem, authority, now, notAfterMs, names)) return pems;
  }
  const made = await issueCertificate(authority, {
    ...source,
    names,
    algorithm: 'ecdsa-p256',
    notBefore: new Date(now - 3_600_000),
    notAfter: new Date(notAfterMs),
  });
  writeDurably(key, made.keyPem);
  writeDurably(certificate, made.certificatePem);
  return made;
}

/** Files that were damaged, or put back one without the other, are as good as none: a leaf is only made anew. */
function isPair({ certificatePem, keyPem }: { readonly certificatePem: string; readonly keyPem: string }): boolean {
  try {
    return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}

/** `couldEndMs`: how long a new one would hold. Where it gains nothing, the present one stays. */
function isStillGood(
  certificatePem: string,
  authority: CertificateAuthority,
  now: number,
  couldEndMs: number,
  names: readonly string[],
): boolean {
  const certificate = new X509Certificate(certificatePem);
  // An authority that was lost and made again has not signed it.
  if (!certificate.verify(new X509Certificate(authority.certificatePem).publicKey)) return false;
  const covers = (name: string): boolean =>
    (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
  const endMs = certificate.validToDate.getTime();
  const holds = endMs - now > RENEW_DAYS * DAY_MS || couldEndMs - endMs < DAY_MS;
  return holds && names.every(covers);
}

function readClientCa(file: string): string {
  try {
    const pem = readFileSync(file, 'utf8');
    if (!new X509Certificate(pem).ca) throw new RangeError('its first certificate is that of no authority');
    return pem;
  } catch (cause) {
    const message = `reading the authorities of client certificates, ${file}: ${errorText(cause)}`;
    throw new BloomeryError('BLM_API_CLIENT_CA', message, { facts: { file }, cause });
  }
}

function endOf(certificatePem: string): number {
  return new X509Certificate(certificatePem).validToDate.getTime();
}

function loadTokenFile(pki: string): string {
  const file = join(pki, 'tokens.csv');
  if (!existsSync(file)) {
    writeDurably(file, `${randomBytes(24).toString('base64url')},bloomery-admin,,"${MASTERS}"\n`);
  }
  return file;
}
