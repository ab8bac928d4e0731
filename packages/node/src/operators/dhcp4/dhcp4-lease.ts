import { DHCP_OPTION, type DhcpPacket, encodeDhcp, parseIpv4, readDhcpAddresses, readDhcpNumber } from '@bloomery/wire';
import { ACK, dhcp4Type, NAK } from './dhcp4-messages.ts';

/** What a server has leased. */
export interface Dhcp4Lease {
  readonly address: string;
  /** Length of the network. */
  readonly bits: number;
  /** Who leased it. */
  readonly server: string;
  /** Infinity: for ever. */
  readonly leaseMs: number;
  /** After which it is renewed: half of the lease, within a week. */
  readonly renewMs: number;
  /** The whole acknowledgement. */
  readonly ack: DhcpPacket;
}

/** Of servers that do not say. */
const DEFAULT_LEASE_MS = 30 * 60_000;
/** Never more often than this, however short the lease. */
export const MIN_RENEW_MS = 5_000;
const MAX_RENEW_MS = 7 * 86_400_000;
const FOR_EVER = 0xffffffff;
const MESSAGE_MAX_BYTES = 65_535;

/** A lease, or that a server wants this host to begin anew. */
export type Dhcp4Answer = Dhcp4Lease | 'refused';

/**
 * Read what a server says to a request.
 *
 * @param server The one that was asked: what others say does not count. undefined: any was.
 * @returns undefined when it is no answer.
 */
export function readDhcp4Answer(packet: DhcpPacket, server?: string): Dhcp4Answer | undefined {
  const type = dhcp4Type(packet);
  const [sender = server] = readDhcpAddresses(packet.options.get(DHCP_OPTION.SERVER_ID) ?? new Uint8Array());
  if (server !== undefined && sender !== server) return undefined;
  if (type === NAK) return 'refused';
  return type === ACK ? readDhcp4Lease(packet) : undefined;
}

/** The acknowledgement as bytes, to be read again by `decodeDhcp`. */
export function dhcp4LeaseMessage({ ack }: Dhcp4Lease): Uint8Array {
  return encodeDhcp({ ...ack, sname: '', file: '' }, { maxBytes: MESSAGE_MAX_BYTES });
}

/**
 * Read an offer or an acknowledgement.
 *
 * @returns undefined when it leases nothing a host can have: no server, or an address that is none of one host.
 */
export function readDhcp4Lease(ack: DhcpPacket): Dhcp4Lease | undefined {
  const option = (code: number): Uint8Array => ack.options.get(code) ?? new Uint8Array();
  const [server] = readDhcpAddresses(option(DHCP_OPTION.SERVER_ID));
  const bytes = parseIpv4(ack.yiaddr);
  if (server === undefined || bytes === undefined || !isHostAddress(bytes)) return undefined;
  const seconds = readDhcpNumber(option(DHCP_OPTION.LEASE_SECONDS)) ?? 0;
  const wantedMs = seconds === 0 ? DEFAULT_LEASE_MS : seconds === FOR_EVER ? Number.POSITIVE_INFINITY : seconds * 1_000;
  return {
    address: ack.yiaddr,
    bits: maskBits(option(DHCP_OPTION.SUBNET_MASK)) ?? classBits(bytes),
    server,
    // A lease shorter than two renewals would end before it can be renewed.
    leaseMs: Math.max(wantedMs, 2 * MIN_RENEW_MS),
    renewMs: Math.min(Math.max(wantedMs / 2, MIN_RENEW_MS), MAX_RENEW_MS),
    ack,
  };
}

function isHostAddress([first = 0]: Uint8Array): boolean {
  return first !== 0 && first !== 127 && first < 224;
}

function maskBits(mask: Uint8Array): number | undefined {
  const ones = Array.from(mask, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return mask.byteLength === 4 && /^1+0*$/.test(ones) ? ones.replaceAll('0', '').length : undefined;
}

/** The network of an address before networks had masks. */
function classBits([first = 0]: Uint8Array): number {
  if (first < 128) return 8;
  return first < 192 ? 16 : 24;
}
