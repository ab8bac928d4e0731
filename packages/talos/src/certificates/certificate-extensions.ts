import { isIP } from 'node:net';
import { BloomeryError } from '@bloomery/ports';
import { der, derBitString, derOid, derSequence, derTrue, TAG } from './der.ts';

/** Names for the bits of the keyUsage extension (RFC 5280 section 4.2.1.3), at their bit positions. */
export const KEY_USAGES = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

/** Extended key usages with their object identifiers. */
export const EXTENDED_KEY_USAGES = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' } as const;
export type ExtendedKeyUsage = keyof typeof EXTENDED_KEY_USAGES;

/** Object identifiers of the extensions that are written and read. */
export const EXTENSION = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

const extension = (oid: string, critical: boolean, value: Uint8Array): Uint8Array =>
  derSequence(derOid(oid), ...(critical ? [derTrue()] : []), der(TAG.octetString, value));

/** keyUsage, critical. */
export function keyUsageExtension(usages: readonly KeyUsage[]): Uint8Array {
  let bits = 0;
  for (const usage of usages) bits |= 0x80 >> KEY_USAGES.indexOf(usage);
  let unused = 0;
  while (unused < 7 && (bits & (1 << unused)) === 0) unused++;
  return extension(EXTENSION.keyUsage, true, derBitString(Uint8Array.of(bits), unused));
}

/** extendedKeyUsage, not critical. */
export function extendedKeyUsageExtension(usages: readonly ExtendedKeyUsage[]): Uint8Array {
  return extension(
    EXTENSION.extendedKeyUsage,
    false,
    derSequence(...usages.map((u) => derOid(EXTENDED_KEY_USAGES[u]))),
  );
}

/** basicConstraints CA:TRUE, critical. */
export const authorityExtension = (): Uint8Array => extension(EXTENSION.basicConstraints, true, derSequence(derTrue()));

/** subjectKeyIdentifier. */
export const subjectKeyIdExtension = (keyId: Uint8Array): Uint8Array =>
  extension(EXTENSION.subjectKeyId, false, der(TAG.octetString, keyId));

/** authorityKeyIdentifier with the key id only. */
export const authorityKeyIdExtension = (keyId: Uint8Array): Uint8Array =>
  extension(EXTENSION.authorityKeyId, false, derSequence(der(0x80, keyId)));

/** subjectAltName: host names and addresses, each in its own form. Critical when the subject is empty. */
export function subjectAltNameExtension(names: readonly string[], critical: boolean): Uint8Array {
  const encoded = names.map((name) =>
    isIP(name) === 0 ? der(0x82, Buffer.from(name, 'ascii')) : der(0x87, addressBytes(name)),
  );
  return extension(EXTENSION.subjectAltName, critical, derSequence(...encoded));
}

/** Address octets in network order: 4 or 16. */
function addressBytes(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split('.').map(Number));
  const [head = '', tail] = withoutDottedQuad(address.split('%')[0] ?? '').split('::');
  const groups = (text: string | undefined): number[] =>
    text === undefined || text === '' ? [] : text.split(':').map((g) => Number.parseInt(g, 16));
  const before = groups(head);
  const after = groups(tail);
  const middle = new Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0);
  const all = [...before, ...middle, ...after];
  if (all.length !== 8)
    throw new BloomeryError('BLM_TALOS_CERTIFICATE_MALFORMED', `writing address ${address}: not IPv6`);
  return Uint8Array.from(all.flatMap((g) => [g >> 8, g & 0xff]));
}

function withoutDottedQuad(address: string): string {
  const at = address.lastIndexOf(':') + 1;
  const quad = address.slice(at);
  if (!quad.includes('.')) return address;
  const [a = 0, b = 0, c = 0, d = 0] = quad.split('.').map(Number);
  return `${address.slice(0, at)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
