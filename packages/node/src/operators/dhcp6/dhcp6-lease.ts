import {
  DHCP6_OPTION,
  DHCP6_STATUS,
  type Dhcp6Message,
  type Dhcp6Option,
  readDhcp6Addresses,
  readDhcp6Association,
  readDhcp6Options,
  readDhcp6Status,
  readDhcpSearchList,
} from '@bloomery/wire';
import { addressSpec } from '../../addresses/configured-addresses.ts';
import { isLinkLocal, parseAddressOrPrefix, parseIp } from '../../ip/ip-prefix.ts';
import { HostnameSpec, ResolverSpec, TimeServerSpec } from '../../resources/index.ts';
import { fqdnParts } from '../fqdn-parts.ts';
import type { OperatorOutputs } from '../operator.ts';

/** What a server has leased. */
export interface Dhcp6Lease {
  readonly address: string;
  /** DUID of the server. */
  readonly server: Uint8Array;
  /** Infinity: for ever. */
  readonly leaseMs: number;
  /** After which it is renewed: half of the lifetime, from 5 s to a week. */
  readonly renewMs: number;
  readonly reply: Dhcp6Message;
}

/** A server that offers or gives nothing, with its status. */
export interface Dhcp6Refusal {
  readonly status: number;
}

const MIN_RENEW_MS = 5_000;
const MAX_RENEW_MS = 7 * 86_400_000;
const FOR_EVER = 0xffffffff;

/** Value of the first option with this code. */
export function dhcp6Option(options: readonly Dhcp6Option[], code: number): Uint8Array | undefined {
  return options.find((option) => option.code === code)?.value;
}

/**
 * Read an advertisement or a reply.
 *
 * @returns undefined when it is none for this association: the caller goes on waiting.
 * @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED
 */
export function readDhcp6Lease(reply: Dhcp6Message, iaid: number): Dhcp6Lease | Dhcp6Refusal | undefined {
  const server = dhcp6Option(reply.options, DHCP6_OPTION.SERVER_ID);
  if (server === undefined) return undefined;
  const refused = readDhcp6Status(reply.options);
  if (refused !== DHCP6_STATUS.SUCCESS) return { status: refused };
  const association = reply.options
    .filter(({ code }) => code === DHCP6_OPTION.IA_NA)
    .map(({ value }) => readDhcp6Association(value))
    .find((found) => found.iaid === iaid);
  if (association === undefined) return { status: DHCP6_STATUS.NO_ADDRESSES };
  if (association.status !== DHCP6_STATUS.SUCCESS) return { status: association.status };
  const leased = association.addresses.find(({ validSeconds, address }) => validSeconds > 0 && isUsable(address));
  if (leased === undefined) return { status: DHCP6_STATUS.NO_ADDRESSES };
  const isForEver = leased.validSeconds === FOR_EVER;
  const leaseMs = isForEver ? Number.POSITIVE_INFINITY : Math.max(leased.validSeconds * 1_000, 2 * MIN_RENEW_MS);
  return { address: leased.address, server, leaseMs, renewMs: Math.min(leaseMs / 2, MAX_RENEW_MS), reply };
}

function isUsable(address: string): boolean {
  const first = address.split(':')[0] ?? '';
  return address !== '::' && address !== '::1' && !first.startsWith('ff') && !/^fe[89ab]/.test(first);
}

const LAYER = 'operator';
/** Suboptions of option 56: an address, a multicast address, a name. @see RFC 5908 */
const NTP_ADDRESS = 1;

/** What a lease says, as specs. */
export function dhcp6Outputs(lease: Dhcp6Lease, linkName: string, skipHostname: boolean): OperatorOutputs {
  const { options } = lease.reply;
  const addressesOf = (code: number): readonly string[] =>
    serversOn(linkName, readDhcp6Addresses(dhcp6Option(options, code) ?? new Uint8Array()));
  const dnsServers = addressesOf(DHCP6_OPTION.DNS);
  const searchDomains = readDhcpSearchList(dhcp6Option(options, DHCP6_OPTION.DOMAIN_SEARCH) ?? new Uint8Array()) ?? [];
  const timeServers = [
    ...new Set([...serversOn(linkName, ntpServers(options)), ...addressesOf(DHCP6_OPTION.SNTP_SERVERS)]),
  ];
  const hostname = skipHostname ? undefined : readHostname(options);
  const prefix = parseAddressOrPrefix(lease.address);
  return {
    addresses: prefix === undefined ? [] : [addressSpec({ linkName, prefix, layer: LAYER })],
    links: [],
    routes: [],
    ...(hostname === undefined ? {} : { hostname }),
    ...(dnsServers.length + searchDomains.length === 0
      ? {}
      : { resolvers: ResolverSpec.make({ dnsServers, searchDomains, layer: LAYER }) }),
    ...(timeServers.length === 0 ? {} : { timeServers: TimeServerSpec.make({ timeServers, layer: LAYER }) }),
  };
}

/** Addresses of hosts, each once; those that mean something on their link only are of this one. */
function serversOn(linkName: string, addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses)].flatMap((address) => {
    const ip = parseIp(address);
    if (ip !== undefined && isLinkLocal(ip)) return [`${address}%${linkName}`];
    return isUsable(address) ? [address] : [];
  });
}

function ntpServers(options: readonly Dhcp6Option[]): readonly string[] {
  return options
    .filter(({ code }) => code === DHCP6_OPTION.NTP_SERVERS)
    .flatMap(({ value }) => {
      try {
        return readDhcp6Options(value);
      } catch {
        // One broken list does not spoil the lease.
        return [];
      }
    })
    .filter(({ code }) => code === NTP_ADDRESS)
    .flatMap(({ value }) => readDhcp6Addresses(value));
}

/** Option 39: a byte of flags, then a name of DNS. */
function readHostname(options: readonly Dhcp6Option[]): HostnameSpec | undefined {
  const value = dhcp6Option(options, DHCP6_OPTION.CLIENT_FQDN)?.subarray(1) ?? new Uint8Array();
  const whole = value.at(-1) === 0 ? value : Uint8Array.of(...value, 0);
  const name = fqdnParts(readDhcpSearchList(whole)?.[0] ?? '');
  return name === undefined ? undefined : HostnameSpec.make({ ...name, layer: LAYER });
}
