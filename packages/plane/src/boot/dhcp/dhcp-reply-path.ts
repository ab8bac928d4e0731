import type { RemoteInfo } from 'node:dgram';
import type { DhcpPacket } from '@bloomery/wire';

/** Where an answer goes. */
export interface DhcpDestination {
  readonly host: string;
  readonly port: number;
}

const NONE = '0.0.0.0';
const SERVER_PORT = 67;
const CLIENT_PORT = 68;

/**
 * The way back to a client: through its relay; to where it asked from when it has an address already; else by broadcast, as it
 * cannot receive anything else before it is configured.
 * @see RFC 2131 section 4.1
 */
export function dhcpDestination(
  request: DhcpPacket,
  from: Pick<RemoteInfo, 'address' | 'port'>,
  port: 67 | 4011,
): DhcpDestination {
  if (request.giaddr !== NONE) return { host: request.giaddr, port: SERVER_PORT };
  const hasAddress = from.address !== NONE && from.address !== '';
  if (hasAddress && (port === 4011 || from.port !== CLIENT_PORT || request.ciaddr === from.address)) {
    return { host: from.address, port: from.port };
  }
  if (request.ciaddr !== NONE) return { host: request.ciaddr, port: CLIENT_PORT };
  return { host: '255.255.255.255', port: CLIENT_PORT };
}
