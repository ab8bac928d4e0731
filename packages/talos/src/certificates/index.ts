export { EXTENDED_KEY_USAGES, type ExtendedKeyUsage, KEY_USAGES, type KeyUsage } from './certificate-extensions.ts';
export * from './certificate-request.ts';
export type { DistinguishedName } from './distinguished-name.ts';
export {
  type CertificateAuthority,
  type CertificateAuthoritySource,
  type CertificateSource,
  certifyPublicKey,
  createCertificateAuthority,
  type IssuedCertificate,
  issueCertificate,
  loadCertificateAuthority,
  pem,
  type Validity,
} from './issue-certificate.ts';
export * from './private-key.ts';
export * from './read-certificate.ts';
