export { EXTENDED_KEY_USAGES, type ExtendedKeyUsage, KEY_USAGES, type KeyUsage } from './certificate-extensions.ts';
export type { DistinguishedName } from './distinguished-name.ts';
export * from './issue-certificate.ts';
export * from './private-key.ts';
export * from './read-certificate.ts';
