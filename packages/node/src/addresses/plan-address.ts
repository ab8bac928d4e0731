import { findLink } from '../kernel/find-link.ts';
import type { KernelAddress, KernelView, NewAddress } from '../kernel/kernel.ts';
import { addressKey } from '../kernel/kernel-keys.ts';
import type { AddressSpec } from '../resources/addresses.ts';
import { ADDRESS_FLAGS, SCOPE } from '../resources/enumerations.ts';
import { numberOf } from '../resources/number-of.ts';

/** What to do so that an address is there. */
export type AddressPlan =
  | { readonly do: 'wait'; readonly reason: 'LinkMissing' }
  | { readonly do: 'nothing' }
  /** It is there, but another host of the network has it too. */
  | { readonly do: 'report'; readonly reason: 'DuplicateAddress' }
  /** Add it, or change what differs in place. */
  | { readonly do: 'put'; readonly address: NewAddress }
  /** Remove and add, while a place holder stands beside it: the kernel changes neither scope nor flags of an IPv4 address. */
  | { readonly do: 'renew'; readonly address: NewAddress };

/** Flags that may be set from outside; the kernel sets the others by itself. */
export const SETTABLE_FLAGS =
  ADDRESS_FLAGS.nodad |
  ADDRESS_FLAGS.optimistic |
  ADDRESS_FLAGS.homeaddress |
  ADDRESS_FLAGS.mngmtmpaddr |
  ADDRESS_FLAGS.noprefixroute |
  ADDRESS_FLAGS.mcautojoin;

/** Decide the next step for an address that shall be there. Pure. */
export function planAddress(spec: AddressSpec, view: KernelView): AddressPlan {
  const link = findLink(view, spec.linkName);
  if (link === undefined) return { do: 'wait', reason: 'LinkMissing' };
  const address: NewAddress = {
    linkIndex: link.index,
    address: spec.address,
    scope: numberOf(SCOPE, spec.scope),
    flags: spec.flags & SETTABLE_FLAGS,
    priority: spec.priority,
  };
  const present = view.addresses.get(addressKey(address));
  if (present === undefined) return { do: 'put', address };
  if (isIpv4(spec) && (present.scope !== address.scope || (present.flags & SETTABLE_FLAGS) !== address.flags)) {
    return { do: 'renew', address };
  }
  if (differs(present, spec)) return { do: 'put', address };
  if ((present.flags & ADDRESS_FLAGS.dadfailed) !== 0) return { do: 'report', reason: 'DuplicateAddress' };
  return { do: 'nothing' };
}

/** The same IPv4 address as a network of its own length, without a route: the kernel takes both. */
export function placeHolder({ linkIndex, address, scope }: NewAddress): NewAddress {
  const slash = address.indexOf('/');
  const bits = address.endsWith('/32') ? 31 : 32;
  return {
    linkIndex,
    address: `${address.slice(0, slash)}/${bits}`,
    scope,
    flags: ADDRESS_FLAGS.noprefixroute,
    priority: 0,
  };
}

/** Names of the flags of a spec that only the kernel sets. */
export function kernelManagedFlags({ flags }: AddressSpec): readonly string[] {
  const managed = flags & ~SETTABLE_FLAGS & ~ADDRESS_FLAGS.permanent;
  return Object.entries(ADDRESS_FLAGS).flatMap(([name, bit]) => ((managed & bit) === 0 ? [] : [name]));
}

/** The scope of IPv6 addresses follows from themselves: it is not compared. */
function differs(present: KernelAddress, spec: AddressSpec): boolean {
  const compared = SETTABLE_FLAGS | (spec.flags & ADDRESS_FLAGS.permanent);
  return (present.flags & compared) !== (spec.flags & compared) || present.priority !== spec.priority;
}

const isIpv4 = ({ family }: AddressSpec): boolean => family === 'inet4';
