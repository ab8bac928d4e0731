import { BlockList, isIP } from 'node:net';
import { isSiderolinkAddress } from '@bloomery/siderolink';
import { canonicalAddress } from '../canonical-address.ts';

/** True for addresses that are not to be reported; also for text that is not an address. */
export type AddressFilter = (address: string) => boolean;

/**
 * A filter out of CIDRs (`--negative-address-filter`); `-` and empty entries mean nothing. Text that is no address is
 * always filtered. IPv6-mapped IPv4 addresses are judged as IPv4.
 *
 * @param cidrs Checked by the caller; entries that are not CIDRs are ignored.
 */
export function createAddressFilter(cidrs: readonly string[]): AddressFilter {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [text = '', length = ''] = cidr.trim().split('/');
    const family = isIP(text);
    const isLength = /^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128);
    if (family !== 0 && !text.includes('%') && isLength) list.addSubnet(text, Number(length), familyName(family));
  }
  return (text) => {
    const address = canonicalAddress(text);
    return address === undefined || list.check(address, familyName(isIP(address)));
  };
}

const linkLocal = createAddressFilter(['169.254.0.0/16', 'fe80::/10']);

/** A machine has a handful of addresses; what comes after so many is left out. */
const ADDRESSES_MAX = 128;

/**
 * What others can use of the addresses that a machine reports, in its order: no text that is no address, nothing link-local,
 * no address of a SideroLink (its own or any other's), nothing that the filter names, each once, at most 128.
 *
 * @param linkAddress Bare link address that the report came from.
 */
export function usableAddresses(
  reported: readonly string[],
  linkAddress: string,
  isExcluded: AddressFilter,
): readonly string[] {
  const usable = new Set<string>();
  for (const text of reported) {
    if (usable.size >= ADDRESSES_MAX) break;
    const address = canonicalAddress(text);
    if (address === undefined || address === linkAddress || isSiderolinkAddress(address)) continue;
    if (!linkLocal(address) && !isExcluded(address)) usable.add(address);
  }
  return [...usable];
}

function familyName(family: number): 'ipv4' | 'ipv6' {
  return family === 4 ? 'ipv4' : 'ipv6';
}
