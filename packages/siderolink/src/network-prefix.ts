import { createHash } from 'node:crypto';
import type { RandomBytes } from '@bloomery/ports';
import { formatIpv6, parseIpv6 } from '@bloomery/wire';

/** What an installation's prefix is for: the eighth byte of its addresses. */
export const PREFIX_PURPOSE = { bootstrap: 0x01, kubespan: 0x02, siderolink: 0x03, tunnel: 0x04 } as const;

/** What a prefix is for. */
export type PrefixPurpose = keyof typeof PREFIX_PURPOSE;

/** A /64 of unique local addresses. */
export interface LinkPrefix {
  /** The 16 bytes of the network address. */
  readonly network: Uint8Array;
  /** `fdae:41e4:649b:9303::/64` */
  readonly text: string;
}

const PREFIX_BYTES = 8;
const DRAWS_MAX = 100;

/**
 * The /64 of an installation for one purpose.
 *
 * @param installationId The id as text or bytes. It is hashed as it stands, never decoded.
 * @see spec/siderolink.md section 3
 */
export function networkPrefix(installationId: string | Uint8Array, purpose: PrefixPurpose): LinkPrefix {
  const hash = createHash('sha256').update(installationId).digest();
  const network = new Uint8Array(16);
  network.set(hash.subarray(16, 16 + PREFIX_BYTES));
  network[0] = 0xfd;
  network[7] = PREFIX_PURPOSE[purpose];
  return { network, text: `${formatIpv6(network)}/64` };
}

/** The prefix of virtual peer addresses of the gRPC tunnel, the same for every installation. */
export function tunnelPrefix(): LinkPrefix {
  return networkPrefix('', 'tunnel');
}

/** The management server's address: the first of the prefix. */
export function serverAddressOf(prefix: LinkPrefix): string {
  const address = Uint8Array.from(prefix.network);
  address[15] = 1;
  return formatIpv6(address);
}

/**
 * A random node address of the prefix, without prefix length.
 *
 * @param isTaken Addresses that are in use; the network and server addresses are never drawn.
 * @throws RangeError when 100 draws gave nothing free: the random source is broken.
 */
export function drawNodeAddress(
  prefix: LinkPrefix,
  random: RandomBytes,
  isTaken: (address: string) => boolean,
): string {
  for (let draw = 0; draw < DRAWS_MAX; draw++) {
    const host = random(16 - PREFIX_BYTES);
    const address = Uint8Array.from([...prefix.network.subarray(0, PREFIX_BYTES), ...host]);
    const text = formatIpv6(address);
    if (!isReservedHost(host) && !isTaken(text)) return text;
  }
  throw new RangeError(`no free address of ${prefix.text} in ${DRAWS_MAX} draws`);
}

/** Whether these host bytes stand for the network itself, or for the server. */
export function isReservedHost(host: Uint8Array): boolean {
  return host.every((byte, i) => byte === 0 || (i === host.length - 1 && byte === 1));
}

/** Whether this is a SideroLink address of any installation. Other text, also IPv4, is not. */
export function isSiderolinkAddress(address: string): boolean {
  const bytes = parseIpv6(address);
  return bytes !== undefined && bytes[0] === 0xfd && bytes[7] === PREFIX_PURPOSE.siderolink;
}

/** The bare address, in canonical text, of an address with or without prefix length. undefined when it is not IPv6. */
export function bareLinkAddress(text: string): string | undefined {
  const bytes = parseIpv6(text.split('/')[0] ?? '');
  return bytes === undefined ? undefined : formatIpv6(bytes);
}
