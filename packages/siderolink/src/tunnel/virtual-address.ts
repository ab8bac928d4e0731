import { createHmac } from 'node:crypto';
import { BloomeryError } from '@bloomery/ports';
import { formatIpv6, parseWireguardKey } from '@bloomery/wire';
import { parseAddressPort } from '../address-port.ts';
import { isReservedHost, tunnelPrefix } from '../network-prefix.ts';

/** Port of every virtual address. It means nothing, but must be there and stay the same. */
const VIRTUAL_PORT = 50_888;
const PREFIX_BYTES = 8;
const ADDRESS_BYTES = 16;

/**
 * The virtual address, `[v6]:50888`, of a machine whose WireGuard goes through the gRPC tunnel. It follows from the keys, so
 * it survives restarts, and nobody without the server's private key can guess it: it is what lets a stream in, so never
 * log it at info or above.
 *
 * @param serverPrivateKey base64
 * @param nodePublicKey base64
 * @throws BloomeryError BLM_LINK_KEY_INVALID when one of them is not a key.
 * @see spec/siderolink.md sections 3 and 7
 */
export function virtualAddress(serverPrivateKey: string, nodePublicKey: string): string {
  const digest = createHmac('sha256', rawKey(serverPrivateKey)).update(rawKey(nodePublicKey)).digest();
  return virtualAddressOf(digest.subarray(0, ADDRESS_BYTES - PREFIX_BYTES));
}

/** The virtual address with these 8 host bytes; those that stand for the network and the server become another. */
export function virtualAddressOf(host: Uint8Array): string {
  const address = Uint8Array.from([...tunnelPrefix().network.subarray(0, PREFIX_BYTES), ...host]);
  if (isReservedHost(host)) address[PREFIX_BYTES] = 1;
  return `[${formatIpv6(address)}]:${VIRTUAL_PORT}`;
}

/**
 * What a client says its virtual address is, as `virtualAddress` writes it, whatever the port and the way of writing.
 * An IPv4 address is returned as it is: it is an address, though nobody's.
 *
 * @returns undefined when the text is no `address:port`.
 */
export function parseVirtualAddress(text: string): string | undefined {
  const { address } = parseAddressPort(text) ?? {};
  if (address === undefined) return undefined;
  return address.length === ADDRESS_BYTES ? `[${formatIpv6(address)}]:${VIRTUAL_PORT}` : text;
}

function rawKey(text: string): Uint8Array {
  const raw = parseWireguardKey(text);
  if (raw === undefined) throw new BloomeryError('BLM_LINK_KEY_INVALID', 'a key of a tunnelled machine is not one');
  return raw;
}
