import { DHCP_OPTION, type DhcpPacket, parseIpv4, readDhcpAddresses, readDhcpNumber } from '@bloomery/wire';

/** What a server has leased. */
export interface Dhcp4Lease {
  readonly address: string;
  /** Length of the network. */
  readonly bits: number;
  /** Who leased it. */
  readonly server: string;
  readonly leaseMs: number;
  /** After which it is renewed. */
  readonly renewMs: number;
  /** The whole acknowledgement. */
  readonly ack: DhcpPacket;
}

/** Of servers that do not say. */
const DEFAULT_LEASE_MS = 30 * 60_000;
/** Never more often than this, however short the lease. */
export const MIN_RENEW_MS = 5_000;
/** Timers cannot be longer than 24 days; a lease for ever is looked at again after a week. */
const MAX_LEASE_MS = 14 * 86_400_000;

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
  const wantedMs = seconds === 0 ? DEFAULT_LEASE_MS : Math.min(seconds * 1_000, MAX_LEASE_MS);
  const renewMs = Math.max(wantedMs / 2, MIN_RENEW_MS);
  return {
    address: ack.yiaddr,
    bits: maskBits(option(DHCP_OPTION.SUBNET_MASK)) ?? classBits(bytes),
    server,
    // A lease shorter than two renewals would end before it can be renewed.
    leaseMs: Math.max(wantedMs, 2 * MIN_RENEW_MS),
    renewMs,
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
