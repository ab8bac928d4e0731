import { derOid, derSequence, derSetOf, derText } from './der.ts';

/** Subject of a certificate. Empty or absent parts are left out. */
export interface DistinguishedName {
  /** Several become one multi-valued RDN, as Go writes them: Talos roles and Kubernetes groups. */
  readonly organizations?: readonly string[];
  readonly commonName?: string;
}

const OID_COMMON_NAME = '2.5.4.3';
const OID_ORGANIZATION = '2.5.4.10';

/** DER Name, organizations before the common name. */
export function encodeDistinguishedName(name: DistinguishedName): Uint8Array {
  const organizations = (name.organizations ?? []).filter((o) => o !== '');
  const rdns: Uint8Array[] = [];
  if (organizations.length > 0) rdns.push(derSetOf(...organizations.map((o) => attribute(OID_ORGANIZATION, o))));
  if (name.commonName !== undefined && name.commonName !== '') {
    rdns.push(derSetOf(attribute(OID_COMMON_NAME, name.commonName)));
  }
  return derSequence(...rdns);
}

const attribute = (oid: string, text: string): Uint8Array => derSequence(derOid(oid), derText(text));
