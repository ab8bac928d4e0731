import { createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { RandomBytes } from '@bloomery/ports';
import {
  authorityExtension,
  authorityKeyIdExtension,
  type ExtendedKeyUsage,
  extendedKeyUsageExtension,
  type KeyUsage,
  keyUsageExtension,
  subjectAltNameExtension,
  subjectKeyIdExtension,
} from './certificate-extensions.ts';
import { der, derBitString, derInteger, derOid, derSequence, derTime, malformed } from './der.ts';
import { type DistinguishedName, encodeDistinguishedName } from './distinguished-name.ts';
import { generatePrivateKey, type KeyAlgorithm, pkcs8Pem, readPrivateKey } from './private-key.ts';
import { readCertificate } from './read-certificate.ts';

/** A certificate with its private key. `keyPem` is PKCS#8; `talosKeyPem(key)` gives Talos' own armour. */
export interface IssuedCertificate {
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly key: KeyObject;
}

/** An authority that can sign: what `createCertificateAuthority` and `loadCertificateAuthority` give. */
export interface CertificateAuthority extends IssuedCertificate {}

/** From when to when a certificate holds; whole seconds are kept. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface CertificateAuthoritySource extends Validity {
  readonly subject: DistinguishedName;
  readonly algorithm: KeyAlgorithm;
  /** Serial number and key id come from here; node:crypto unless given. Keys always come from node:crypto. */
  readonly random?: RandomBytes;
}

export interface CertificateSource extends Validity {
  readonly subject: DistinguishedName;
  /** Algorithm of the new key; ignored when `key` is given. The authority's own kind unless given. */
  readonly algorithm?: KeyAlgorithm;
  /** Certify this private key instead of making one. */
  readonly key?: KeyObject;
  /** Host names and IP addresses, mixed. */
  readonly names?: readonly string[];
  /** digitalSignature unless given (and keyEncipherment for RSA keys). */
  readonly keyUsages?: readonly KeyUsage[];
  readonly extendedKeyUsages: readonly ExtendedKeyUsage[];
  readonly random?: RandomBytes;
}

const SERIAL_BYTES = 16;
const KEY_ID_BYTES = 20;

/**
 * A new self-signed authority, as Talos makes them: random 128-bit serial, random key id of 20 bytes, no authority key id,
 * keyUsage digitalSignature and keyCertSign, extended usages serverAuth and clientAuth.
 *
 * @see spec/cluster.md section 5
 */
export async function createCertificateAuthority(source: CertificateAuthoritySource): Promise<CertificateAuthority> {
  const random = source.random ?? randomBytes;
  const key = await generatePrivateKey(source.algorithm);
  const name = encodeDistinguishedName(source.subject);
  const extensions = [
    keyUsageExtension(['digitalSignature', 'keyCertSign']),
    extendedKeyUsageExtension(['serverAuth', 'clientAuth']),
    authorityExtension(),
    subjectKeyIdExtension(random(KEY_ID_BYTES)),
  ];
  const certificatePem = signed({
    issuer: name,
    subject: name,
    publicKeyDer: publicDer(key),
    signer: key,
    extensions,
    validity: source,
    random,
  });
  return { certificatePem, keyPem: pkcs8Pem(key), key };
}

/**
 * An authority from PEM (the key may wear Talos' armour).
 *
 * @throws BloomeryError BLM_TALOS_CERTIFICATE_MALFORMED when either cannot be read or they do not belong together.
 */
export function loadCertificateAuthority(certificatePem: string, keyPem: string): CertificateAuthority {
  const key = readPrivateKey(keyPem);
  const { publicKeyDer } = readCertificate(certificatePem);
  if (!publicKeyDer.equals(publicDer(key))) throw malformed('the private key does not belong to the certificate');
  return { certificatePem, keyPem: pkcs8Pem(key), key };
}

/** A certificate signed by `authority`. Its own key id is left out, the authority's is put in (as Go does). */
export async function issueCertificate(
  authority: CertificateAuthority,
  source: CertificateSource,
): Promise<IssuedCertificate> {
  const key = source.key ?? (await generatePrivateKey(source.algorithm ?? algorithmOf(authority.key)));
  const keyUsages = source.keyUsages ?? defaultUsages(key);
  const certificatePem = certifyPublicKey(authority, publicDer(key), { ...source, keyUsages });
  return { certificatePem, keyPem: pkcs8Pem(key), key };
}

/**
 * As `issueCertificate`, for a key whose private half somebody else has. PEM.
 *
 * @param publicKeyDer SubjectPublicKeyInfo.
 */
export function certifyPublicKey(
  authority: CertificateAuthority,
  publicKeyDer: Uint8Array,
  source: Omit<CertificateSource, 'key' | 'algorithm'>,
): string {
  const issuer = readCertificate(authority.certificatePem);
  const subject = encodeDistinguishedName(source.subject);
  const names = source.names ?? [];
  const extensions = [
    keyUsageExtension(source.keyUsages ?? ['digitalSignature']),
    extendedKeyUsageExtension(source.extendedKeyUsages),
    ...(issuer.subjectKeyId === undefined ? [] : [authorityKeyIdExtension(issuer.subjectKeyId)]),
    ...(names.length === 0 ? [] : [subjectAltNameExtension(names, subject.length === 2)]),
  ];
  return signed({
    issuer: issuer.subjectDer,
    subject,
    publicKeyDer,
    signer: authority.key,
    extensions,
    validity: source,
    random: source.random ?? randomBytes,
  });
}

interface ToBeSigned {
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly publicKeyDer: Uint8Array;
  readonly signer: KeyObject;
  readonly extensions: readonly Uint8Array[];
  readonly validity: Validity;
  readonly random: RandomBytes;
}

function signed(source: ToBeSigned): string {
  const signature = signatureAlgorithm(source.signer);
  const body = derSequence(
    der(0xa0, derInteger(Uint8Array.of(2))),
    derInteger(source.random(SERIAL_BYTES)),
    signature.der,
    source.issuer,
    derSequence(derTime(source.validity.notBefore), derTime(source.validity.notAfter)),
    source.subject,
    source.publicKeyDer,
    der(0xa3, derSequence(...source.extensions)),
  );
  const bits = derBitString(sign(signature.hash, body, source.signer));
  return pem('CERTIFICATE', derSequence(body, signature.der, bits));
}

/** How this private key signs, as certificates say it; `hash` is for node:crypto. */
export function signatureAlgorithm(key: KeyObject): { readonly der: Uint8Array; readonly hash: string | null } {
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return { der: derSequence(derOid('1.3.101.112')), hash: null };
    case 'ec':
      return { der: derSequence(derOid('1.2.840.10045.4.3.2')), hash: 'sha256' };
    default:
      return { der: derSequence(derOid('1.2.840.113549.1.1.11'), Uint8Array.of(5, 0)), hash: 'sha256' };
  }
}

/** SubjectPublicKeyInfo of a private key. */
export const publicDer = (key: KeyObject): Buffer => createPublicKey(key).export({ format: 'der', type: 'spki' });

const defaultUsages = (key: KeyObject): readonly KeyUsage[] =>
  key.asymmetricKeyType === 'rsa' ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'];

function algorithmOf(key: KeyObject): KeyAlgorithm {
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519';
  return key.asymmetricKeyType === 'ec' ? 'ecdsa-p256' : 'rsa-2048';
}

/** PEM with lines of 64 characters. */
export function pem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
