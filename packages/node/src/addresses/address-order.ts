import { compareIps, type IpPrefix, prefixContains } from '../ip/ip-prefix.ts';
import type { ADDRESS_SORT_ALGORITHM } from '../resources/enumerations.ts';

/** Which address of a machine comes first. */
export type AddressSortAlgorithm = keyof typeof ADDRESS_SORT_ALGORITHM;

type Compare = (a: IpPrefix, b: IpPrefix) => number;

/**
 * How addresses are ordered. `v1`: by family and bytes. `v2`: by family, then the more specific network first where one lies in the
 * other, then by bytes.
 */
export function addressOrder(algorithm: AddressSortAlgorithm | `${number}`): Compare {
  return algorithm === 'v2' ? compareSpecificFirst : compareByBytes;
}

const compareByBytes: Compare = (a, b) => compareIps(a.address, b.address) || a.bits - b.bits;

const compareSpecificFirst: Compare = (a, b) => {
  if (a.address.text === b.address.text) return b.bits - a.bits;
  const aInB = prefixContains(b, a.address);
  const bInA = prefixContains(a, b.address);
  if (aInB !== bInA) return aInB ? -1 : 1;
  return compareIps(a.address, b.address);
};
