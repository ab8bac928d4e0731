import { createCertificateAuthority, issueCertificate } from '../certificates/index.ts';

/** A certificate of a server with its key, PEM. */
export interface TestCertificate {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** A certificate authority for tests: servers that it certifies are believed by who knows its certificate. */
export interface TestAuthority {
  /** PEM */
  readonly certificatePem: string;
  /** @param names Host names and addresses of the server. */
  issue(commonName: string, names: readonly string[]): Promise<TestCertificate>;
}

const VALIDITY = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2099-01-01T00:00:00Z') };

/** Make an authority with a key of its own. */
export async function createTestAuthority(): Promise<TestAuthority> {
  const subject = { commonName: 'test' };
  const authority = await createCertificateAuthority({ ...VALIDITY, subject, algorithm: 'ecdsa-p256' });
  return {
    certificatePem: authority.certificatePem,
    issue: (commonName, names) =>
      issueCertificate(authority, {
        ...VALIDITY,
        subject: { commonName },
        names: [...names],
        extendedKeyUsages: ['serverAuth'],
      }),
  };
}
