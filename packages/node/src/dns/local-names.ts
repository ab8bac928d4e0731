import { isIPv4, isIPv6 } from 'node:net';
import { DNS_CLASS_IN, DNS_TYPE, type DnsQuery, emptyDnsAnswer, encodeDnsAddressRecord } from '@bloomery/wire';
import type { HostDnsSettings } from './host-dns.ts';

const TTL_SECONDS = 10;
const QUESTION_AT = 12;
const AA = 0x0400;
/** Addresses of one name that are told. */
const ADDRESSES_MAX = 64;

/** An answer from what the host itself knows, without OPT record and not yet cut to size. */
export interface LocalAnswer {
  readonly message: Buffer;
  readonly from: 'static' | 'member';
}

/**
 * Answer A and AAAA questions for static hosts and members.
 *
 * A static host is known completely: without an address of the family the answer is empty. A member may have other records
 * elsewhere: without an address of the family the question goes to the upstreams.
 */
export function answerLocally(
  packet: Uint8Array,
  query: DnsQuery,
  { staticHosts, members }: Pick<HostDnsSettings, 'staticHosts' | 'members'>,
): LocalAnswer | undefined {
  const isAddress = query.type === DNS_TYPE.A || query.type === DNS_TYPE.AAAA;
  if (query.class !== DNS_CLASS_IN || !isAddress) return undefined;
  const name = query.name.toLowerCase();
  const isFamily = query.type === DNS_TYPE.A ? isIPv4 : isIPv6;
  const host = staticHosts.get(name);
  if (host !== undefined) return { message: encode(packet, query, host.filter(isFamily)), from: 'static' };
  const member = (members.get(name) ?? []).filter(isFamily);
  return member.length === 0 ? undefined : { message: encode(packet, query, member), from: 'member' };
}

/** Names whose answer is not the same by these two. */
export function changedNames(
  before: ReadonlyMap<string, readonly string[]>,
  after: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name)?.join() !== after.get(name)?.join(),
  );
}

function encode(packet: Uint8Array, query: DnsQuery, addresses: readonly string[]): Buffer {
  const head = emptyDnsAnswer(packet, { rcode: 0, questionEnd: query.questionEnd });
  const records = addresses
    .slice(0, ADDRESSES_MAX)
    .map((address) => encodeDnsAddressRecord({ nameAt: QUESTION_AT, address, ttlSeconds: TTL_SECONDS }))
    .filter((record) => record !== undefined);
  head.writeUInt16BE(head.readUInt16BE(2) | AA, 2);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, ...records]);
}
