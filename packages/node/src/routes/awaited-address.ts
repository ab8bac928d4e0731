import { parseIp, parsePrefix, prefixContains } from '../ip/ip-prefix.ts';
import { findLink } from '../kernel/find-link.ts';
import type { KernelView } from '../kernel/kernel.ts';
import { addressKey } from '../kernel/kernel-keys.ts';
import type { AddressSpec } from '../resources/addresses.ts';
import type { RouteSpec } from '../resources/routes.ts';

/**
 * The address that a route needs, shall have, and does not have yet: the one that it prefers as its source, or one in whose network
 * its gateway lies. The kernel would refuse the route without it. undefined: there is nothing to wait for.
 */
export function awaitedAddress(
  { gateway: gatewayText, src, outLinkName }: RouteSpec,
  addresses: readonly AddressSpec[],
  view: KernelView,
): string | undefined {
  const link = findLink(view, outLinkName);
  const absent = addresses.filter((spec) => !isPresent(spec, view));
  const source = absent.find(({ address }) => src !== '' && address.startsWith(`${src}/`));
  if (source !== undefined) return source.address;
  const gateway = parseIp(gatewayText);
  if (gateway === undefined) return undefined;
  const reaches = (address: string): boolean => {
    const network = parsePrefix(address);
    return network !== undefined && prefixContains(network, gateway);
  };
  const isOnLink = (index: number | undefined): boolean => link === undefined || link.index === index;
  const present = [...view.addresses.values()];
  if (present.some(({ linkIndex, address }) => isOnLink(linkIndex) && reaches(address))) return undefined;
  return absent.find((spec) => isOnLink(findLink(view, spec.linkName)?.index) && reaches(spec.address))?.address;
}

function isPresent({ linkName, address }: AddressSpec, view: KernelView): boolean {
  const link = findLink(view, linkName);
  return link !== undefined && view.addresses.has(addressKey({ linkIndex: link.index, address }));
}
