import { type CertificateAuthority, issueCertificate } from '@bloomery/talos';

/** A client certificate with its key, as TLS options. */
export interface ClientIdentity {
  readonly cert?: string;
  readonly key?: string;
}

/** A client certificate of an authority. */
export async function identityOf(
  authority: CertificateAuthority,
  commonName: string,
  more: {
    readonly organizations?: readonly string[];
    readonly usage?: 'clientAuth' | 'serverAuth';
    /** Host names and addresses. */
    readonly names?: readonly string[];
    readonly expired?: boolean;
  } = {},
): Promise<ClientIdentity> {
  const now = Date.now();
  const issued = await issueCertificate(authority, {
    subject: { commonName, organizations: [...(more.organizations ?? [])] },
    extendedKeyUsages: [more.usage ?? 'clientAuth'],
    names: more.names ?? [],
    algorithm: 'ecdsa-p256',
    notBefore: new Date(now - 7_200_000),
    notAfter: new Date(more.expired === true ? now - 3_600_000 : now + 86_000_000),
  });
  return { cert: issued.certificatePem, key: issued.keyPem };
}
