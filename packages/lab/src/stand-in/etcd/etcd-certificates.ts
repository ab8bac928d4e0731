import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@bloomery/ports';
import { issueCertificate, loadCertificateAuthority, type PemPair } from '@bloomery/talos';

/** The certificates of one etcd member: PEM texts, and the files that etcd reads. */
export interface EtcdCertificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

const LIFE_MS = 365 * 86_400_000;

/**
 * Issue a member's certificate by `cluster.etcd.ca`, for clients, peers and its own gateway (which calls it as a client), and
 * write what etcd reads into `dir`.
 */
export async function writeEtcdCertificates(
  dir: string,
  { authority, name, names }: { readonly authority: PemPair; readonly name: string; readonly names: readonly string[] },
  clock: Clock,
): Promise<EtcdCertificates> {
  const issued = await issueCertificate(loadCertificateAuthority(authority.crt, authority.key), {
    subject: { commonName: name },
    names,
    algorithm: 'ecdsa-p256',
    notBefore: new Date(clock.nowMs() - 3_600_000),
    notAfter: new Date(clock.nowMs() + LIFE_MS),
    extendedKeyUsages: ['serverAuth', 'clientAuth'],
  });
  const { certificatePem: cert, keyPem: key } = issued;
  const files = { caFile: join(dir, 'ca.crt'), certFile: join(dir, 'member.crt'), keyFile: join(dir, 'member.key') };
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writeFile(files.caFile, authority.crt);
  await writeFile(files.certFile, cert);
  await writeFile(files.keyFile, key, { mode: 0o600 });
  return { ca: authority.crt, cert, key, ...files };
}
