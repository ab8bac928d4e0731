import { isLinkLocal, parsePrefix } from '../../ip/ip-prefix.ts';
import type { KernelView } from '../../kernel/kernel.ts';
import { ADDRESS_FLAGS, FAMILY } from '../../resources/enumerations.ts';

/** The link-local IPv6 address of a link, once the kernel knows that nobody else on the link has it. */
export function linkLocalAddress({ addresses }: Pick<KernelView, 'addresses'>, linkIndex: number): string | undefined {
  for (const { linkIndex: index, family, address, flags } of addresses.values()) {
    const isSettled = (flags & ADDRESS_FLAGS.tentative) === 0;
    const prefix = index === linkIndex && family === FAMILY.inet6 && isSettled ? parsePrefix(address) : undefined;
    if (prefix !== undefined && isLinkLocal(prefix.address)) return prefix.address.text;
  }
  return undefined;
}
