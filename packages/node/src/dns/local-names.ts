import { isIPv4, isIPv6 } from 'node:net';
import {
  DNS_CLASS_IN,
  DNS_TYPE,
  type DnsQuery,
  dnsReverseName,
  emptyDnsAnswer,
  encodeDnsAddressRecord,
  encodeDnsName,
  encodeDnsPointerRecord,
} from '@bloomery/wire';
import type { HostDnsSettings } from './host-dns.ts';

const TTL_SECONDS = 10;
const QUESTION_AT = 12;
const AA = 0x0400;
/** Addresses of one name that are told. */
const ADDRESSES_MAX = 64;
/** Of every address of the loopback network (RFC 6303 section 4.2). */
const LOOPBACK = /^\d{1,3}\.\d{1,3}\.\d{1,3}\.127\.in-addr\.arpa$/;
const LOOPBACK_NAMES = ['localhost'];

/** Names in lower case with what stands for them: addresses, or a name where they are names of addresses. */
export type NameTable = ReadonlyMap<string, readonly string[]>;

/** What the host itself knows. */
export interface LocalNames {
  readonly hosts: NameTable;
  readonly members: NameTable;
  /** Under the name of an address (`1.2.0.192.in-addr.arpa`), the one whose it is. */
  readonly hostPointers: NameTable;
  readonly memberPointers: NameTable;
}

/** An answer from what the host itself knows, without OPT record and not yet cut to size. */
export interface LocalAnswer {
  readonly message: Buffer;
  readonly from: 'static' | 'member';
}

/** Names with the way back from their addresses. */
export function localNames({ staticHosts, members }: Pick<HostDnsSettings, 'staticHosts' | 'members'>): LocalNames {
  return {
    hosts: staticHosts,
    members,
    hostPointers: pointersOf(staticHosts),
    memberPointers: pointersOf(members),
  };
}

/**
 * Answer A, AAAA and PTR questions for static hosts and members.
 *
 * A static host is known completely: without an address of the family the answer is empty. A member may have other records
 * elsewhere: without an address of the family the question goes to the upstreams. An address has one name, the first that it was
 * given, as the first in a line of a hosts file.
 */
export function answerLocally(packet: Uint8Array, query: DnsQuery, names: LocalNames): LocalAnswer | undefined {
  if (query.class !== DNS_CLASS_IN) return undefined;
  const name = query.name.toLowerCase();
  const answer = (from: LocalAnswer['from'], values: readonly string[]): LocalAnswer => ({
    message: encode(packet, query, values),
    from,
  });
  if (query.type === DNS_TYPE.PTR) {
    const host = names.hostPointers.get(name);
    if (host !== undefined) return answer('static', host);
    const member = names.memberPointers.get(name);
    if (member !== undefined) return answer('member', member);
    return LOOPBACK.test(name) ? answer('static', LOOPBACK_NAMES) : undefined;
  }
  if (query.type !== DNS_TYPE.A && query.type !== DNS_TYPE.AAAA) return undefined;
  const isFamily = query.type === DNS_TYPE.A ? isIPv4 : isIPv6;
  const host = names.hosts.get(name);
  if (host !== undefined) return answer('static', host.filter(isFamily));
  const member = (names.members.get(name) ?? []).filter(isFamily);
  return member.length === 0 ? undefined : answer('member', member);
}

/** Names whose answer is not the same by these two. */
export function changedNames(before: LocalNames, after: LocalNames): readonly string[] {
  return (['hosts', 'members', 'hostPointers', 'memberPointers'] as const).flatMap((table) =>
    [...new Set([...before[table].keys(), ...after[table].keys()])].filter(
      (name) => before[table].get(name)?.join() !== after[table].get(name)?.join(),
    ),
  );
}

function pointersOf(table: NameTable): NameTable {
  const pointers = new Map<string, readonly string[]>();
  for (const [name, addresses] of table) {
    if (encodeDnsName(name) === undefined) continue;
    for (const address of addresses) {
      const reverse = dnsReverseName(address);
      if (reverse !== undefined && !pointers.has(reverse)) pointers.set(reverse, [name]);
    }
  }
  return pointers;
}

function encode(packet: Uint8Array, query: DnsQuery, values: readonly string[]): Buffer {
  const head = emptyDnsAnswer(packet, { rcode: 0, questionEnd: query.questionEnd });
  const parts = { nameAt: QUESTION_AT, ttlSeconds: TTL_SECONDS };
  const records = values
    .slice(0, ADDRESSES_MAX)
    .map((value) =>
      query.type === DNS_TYPE.PTR
        ? encodeDnsPointerRecord({ ...parts, target: value })
        : encodeDnsAddressRecord({ ...parts, address: value }),
    )
    .filter((record) => record !== undefined);
  head.writeUInt16BE(head.readUInt16BE(2) | AA, 2);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, ...records]);
}
