import {
  EXTENDED_KEY_USAGES,
  EXTENSION,
  type ExtendedKeyUsage,
  KEY_USAGES,
  type KeyUsage,
} from './certificate-extensions.ts';
import { type DerNode, malformed, oidText, readDer, TAG } from './der.ts';

/** The parts of a certificate that node:crypto's X509Certificate does not give. */
export interface CertificateParts {
  readonly serial: Uint8Array;
  readonly issuerDer: Uint8Array;
  readonly subjectDer: Uint8Array;
  /** SubjectPublicKeyInfo. */
  readonly publicKeyDer: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly signatureAlgorithmOid: string;
  readonly isAuthority: boolean;
  readonly keyUsages: readonly KeyUsage[];
  /** Those known by name; others are left out. */
  readonly extendedKeyUsages: readonly ExtendedKeyUsage[];
  readonly subjectKeyId?: Uint8Array;
  readonly hasAuthorityKeyId: boolean;
}

const MAX_PEM_CHARACTERS = 1 << 20;

/** The bytes of the first PEM block with this label; undefined when there is none. */
export function pemBlock(text: string, label: string): Buffer | undefined {
  if (text.length > MAX_PEM_CHARACTERS) return undefined;
  const begin = `-----BEGIN ${label}-----`;
  const start = text.indexOf(begin);
  if (start < 0) return undefined;
  const end = text.indexOf(`-----END ${label}-----`, start);
  return end < 0 ? undefined : Buffer.from(text.slice(start + begin.length, end), 'base64');
}

/**
 * Take an X.509 certificate in PEM apart. The signature is not checked.
 *
 * @throws BloomeryError BLM_TALOS_CERTIFICATE_MALFORMED
 */
export function readCertificate(certificatePem: string): CertificateParts {
  const bytes = pemBlock(certificatePem, 'CERTIFICATE');
  if (bytes === undefined) throw malformed('no CERTIFICATE block');
  const outer = children(readDer(bytes)[0], TAG.sequence);
  const fields = children(outer[0], TAG.sequence).filter((node) => node.tag !== 0xa0);
  const [serial, algorithm, issuer, validity, subject, publicKey] = fields;
  if (serial === undefined || issuer === undefined || subject === undefined || publicKey === undefined) {
    throw malformed('certificate has too few fields');
  }
  const [from, to] = children(validity, TAG.sequence);
  return {
    serial: serial.body,
    issuerDer: issuer.raw,
    subjectDer: subject.raw,
    publicKeyDer: Buffer.from(publicKey.raw),
    notBefore: time(from),
    notAfter: time(to),
    signatureAlgorithmOid: oidText(children(algorithm, TAG.sequence)[0]?.body ?? new Uint8Array()),
    ...readExtensions(fields.find((node) => node.tag === 0xa3)),
  };
}

function readExtensions(
  node: DerNode | undefined,
): Pick<CertificateParts, 'isAuthority' | 'keyUsages' | 'extendedKeyUsages' | 'subjectKeyId' | 'hasAuthorityKeyId'> {
  const values = new Map<string, Uint8Array>();
  for (const one of node === undefined ? [] : children(readDer(node.body)[0], TAG.sequence)) {
    const parts = children(one, TAG.sequence);
    const id = parts[0];
    const value = parts.at(-1);
    if (id !== undefined && value !== undefined) values.set(oidText(id.body), value.body);
  }
  const first = (oid: string): DerNode | undefined => {
    const value = values.get(oid);
    return value === undefined ? undefined : readDer(value)[0];
  };
  const bits = first(EXTENSION.keyUsage)?.body[1] ?? 0;
  const subjectKeyId = first(EXTENSION.subjectKeyId)?.body;
  const extended = readDer(first(EXTENSION.extendedKeyUsage)?.body ?? new Uint8Array()).map((n) => oidText(n.body));
  const constraints = readDer(first(EXTENSION.basicConstraints)?.body ?? new Uint8Array());
  return {
    isAuthority: constraints[0]?.tag === TAG.boolean && constraints[0].body[0] === 0xff,
    keyUsages: KEY_USAGES.filter((_, bit) => (bits & (0x80 >> bit)) !== 0),
    extendedKeyUsages: extended.flatMap((oid) => extendedUsageName(oid)),
    ...(subjectKeyId === undefined ? {} : { subjectKeyId }),
    hasAuthorityKeyId: values.has(EXTENSION.authorityKeyId),
  };
}

function extendedUsageName(oid: string): ExtendedKeyUsage[] {
  if (oid === EXTENDED_KEY_USAGES.serverAuth) return ['serverAuth'];
  return oid === EXTENDED_KEY_USAGES.clientAuth ? ['clientAuth'] : [];
}

function children(node: DerNode | undefined, tag: number): DerNode[] {
  if (node === undefined || node.tag !== tag) throw malformed(`expected tag ${tag}, found ${node?.tag ?? 'nothing'}`);
  return readDer(node.body);
}

function time(node: DerNode | undefined): Date {
  const text = Buffer.from(node?.body ?? []).toString('ascii');
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (match === null) throw malformed(`bad time ${JSON.stringify(text.slice(0, 20))}`);
  const [, year = '', ...rest] = match;
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = rest.map(Number);
  const century = year.length === 4 ? '' : Number(year) < 50 ? '20' : '19';
  return new Date(Date.UTC(Number(century + year), month - 1, day, hour, minute, second));
}
