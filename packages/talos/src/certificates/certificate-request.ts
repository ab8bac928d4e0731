import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { formatIpv4, formatIpv6 } from '@bloomery/wire';
import { EXTENSION, subjectAltNameExtension } from './certificate-extensions.ts';
import {
  type DerNode,
  der,
  derBitString,
  derInteger,
  derOid,
  derSequence,
  derSetOf,
  malformed,
  oidText,
  readDer,
  TAG,
} from './der.ts';
import { type DistinguishedName, encodeDistinguishedName } from './distinguished-name.ts';
import { pem, publicDer, signatureAlgorithm } from './issue-certificate.ts';
import { pemBlock } from './read-certificate.ts';

/** What a certificate is asked for. */
export interface CertificateRequestSource {
  readonly subject: DistinguishedName;
  readonly key: KeyObject;
  /** Host names and IP addresses, mixed. */
  readonly names: readonly string[];
}

/** What a request asks for; its signature has been checked. */
export interface CertificateRequestParts {
  /** SubjectPublicKeyInfo. */
  readonly publicKeyDer: Uint8Array;
  /** Host names and IP addresses, mixed. */
  readonly names: readonly string[];
}

const LABEL = 'CERTIFICATE REQUEST';
const OID_EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const MAX_NAMES = 100;

/** A PKCS#10 request in PEM (RFC 2986). */
export function createCertificateRequest({ subject, key, names }: CertificateRequestSource): string {
  const extensions = derSequence(subjectAltNameExtension(names, false));
  const attribute = derSequence(derOid(OID_EXTENSION_REQUEST), derSetOf(extensions));
  const info = derSequence(
    derInteger(Uint8Array.of(0)),
    encodeDistinguishedName(subject),
    publicDer(key),
    der(0xa0, attribute),
  );
  const algorithm = signatureAlgorithm(key);
  return pem(LABEL, derSequence(info, algorithm.der, derBitString(sign(algorithm.hash, info, key))));
}

/**
 * Read a PKCS#10 request in PEM. Its subject and all extensions but the names are left out.
 *
 * @throws BloomeryError BLM_TALOS_CERTIFICATE_MALFORMED when it cannot be read or its signature does not hold.
 */
export function readCertificateRequest(requestPem: string): CertificateRequestParts {
  const bytes = pemBlock(requestPem, LABEL);
  if (bytes === undefined) throw malformed(`no ${LABEL} block`);
  const [info, , signature] = parts(readDer(bytes)[0]);
  const [, , publicKey, attributes] = parts(info);
  if (info === undefined || publicKey === undefined || signature === undefined) throw malformed('too few fields');
  if (!isSigned(info.raw, publicKey.raw, signature.body.subarray(1))) throw malformed('the signature does not hold');
  return { publicKeyDer: publicKey.raw, names: attributes === undefined ? [] : namesOf(attributes) };
}

function isSigned(info: Uint8Array, publicKeyDer: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKeyDer), format: 'der', type: 'spki' });
    return verify(signatureAlgorithm(key).hash, info, key, signature);
  } catch {
    throw malformed('the public key is of no known kind');
  }
}

function namesOf(attributes: DerNode): string[] {
  for (const attribute of readDer(attributes.body)) {
    const [oid, values] = parts(attribute);
    if (oid === undefined || values === undefined || oidText(oid.body) !== OID_EXTENSION_REQUEST) continue;
    for (const extension of parts(readDer(values.body)[0])) {
      const fields = parts(extension);
      const [id, value] = [fields[0], fields.at(-1)];
      if (id === undefined || value === undefined || oidText(id.body) !== EXTENSION.subjectAltName) continue;
      const found = parts(readDer(value.body)[0]);
      if (found.length > MAX_NAMES) throw malformed(`${found.length} names are more than ${MAX_NAMES}`);
      return found.flatMap(nameOf);
    }
  }
  return [];
}

function nameOf({ tag, body }: DerNode): string[] {
  if (tag === 0x82) return [Buffer.from(body).toString('ascii')];
  if (tag !== 0x87) return [];
  if (body.length === 4) return [formatIpv4(body)];
  return body.length === 16 ? [formatIpv6(body)] : [];
}

function parts(node: DerNode | undefined): DerNode[] {
  if (node === undefined || node.tag !== TAG.sequence) throw malformed('expected a sequence');
  return readDer(node.body);
}
