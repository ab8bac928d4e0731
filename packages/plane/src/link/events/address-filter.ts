import { BlockList, isIP } from 'node:net';

/** True for addresses that are not to be reported; also for text that is not an address. */
export type AddressFilter = (address: string) => boolean;

/**
 * A filter out of CIDRs (`--negative-address-filter`); `-` and empty entries mean nothing. Text that is no address is
 * always filtered.
 *
 * @param cidrs Checked by the caller; entries that are not CIDRs are ignored.
 */
export function createAddressFilter(cidrs: readonly string[]): AddressFilter {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', length = ''] = cidr.trim().split('/');
    const family = familyOf(address);
    if (family !== undefined && /^\d{1,3}$/.test(length)) list.addSubnet(address, Number(length), family);
  }
  return (address) => {
    const family = familyOf(address);
    return family === undefined || list.check(address, family);
  };
}

const linkLocal = createAddressFilter(['169.254.0.0/16', 'fe80::/10']);

/** True for addresses that mean something on one cable only, and for text that is no address. */
export function isLinkLocal(address: string): boolean {
  return linkLocal(address);
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const family = isIP(address);
  if (family === 0 || address.includes('%')) return undefined;
  return family === 4 ? 'ipv4' : 'ipv6';
}
