import { createHash } from 'node:crypto';
import type { IpPrefix } from '../ip/ip-prefix.ts';
import type { ConfigLayer } from '../layers/index.ts';
import { HostnameSpec } from '../resources/names.ts';

/** Under which id the host name stands, on each layer and in the end. */
export const HOSTNAME_ID = 'hostname';

const NAME_MAX = 253;
const LABEL_MAX = 63;
/** Bytes of a digest that a stable name is made of. */
const DIGEST_BYTES = 8;

/**
 * A full name, split at its first dot.
 *
 * @returns undefined when it is empty or longer than 253 characters, its first label is empty or longer than 63, or it has blanks.
 */
export function hostnameSpec(name: string, layer: ConfigLayer): HostnameSpec | undefined {
  const [hostname = '', ...domain] = name.split('.');
  if (name.length > NAME_MAX || hostname === '' || hostname.length > LABEL_MAX || !/^[\x21-\x7e]+$/.test(name)) {
    return undefined;
  }
  return HostnameSpec.make({ hostname, domainname: domain.join('.'), layer });
}

/** A name made of an address: `talos-10-5-0-2`, `talos-fd001`. */
export function addressName({ address }: IpPrefix): string {
  return `talos-${address.text.replaceAll(':', '').replaceAll('.', '-')}`;
}

/** A name made of the identity of a node, the same for as long as it has that: `talos-1a2-b3c`. */
export function stableName(nodeId: string): string {
  const digest = createHash('sha256').update(nodeId).digest().subarray(0, DIGEST_BYTES);
  const digits = base36(digest);
  return `talos-${digits.slice(1, 4)}-${digits.slice(4, 7)}`;
}

/** Bytes as one number in digits and letters; each zero byte at the beginning is a 0 of its own. */
function base36(bytes: Uint8Array): string {
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return '0'.repeat(Math.max(zeros, 0)) + bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n).toString(36);
}

/** Of names on all layers, lowest layer first: the highest one that has any, the first of those on its layer. */
export function mergeHostnames(specs: readonly HostnameSpec[]): HostnameSpec {
  const named = specs.filter(({ hostname }) => hostname !== '');
  const layer = named.at(-1)?.layer;
  return named.find((spec) => spec.layer === layer) ?? HostnameSpec.make();
}
