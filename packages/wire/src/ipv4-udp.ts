import { formatIpv4, parseIpv4 } from './ipv4.ts';

/** A UDP datagram in an IPv4 packet without options or fragments. */
export interface Ipv4Datagram {
  /** Dotted quads. */
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

const IP_BYTES = 20;
const UDP_BYTES = 8;
const PROTOCOL_UDP = 17;
const TTL = 64;
const PAYLOAD_MAX = 65_535 - IP_BYTES - UDP_BYTES;

/**
 * Encode a datagram with both checksums.
 *
 * @throws RangeError when an address is none or the payload exceeds 65507 bytes.
 * @see RFC 791 section 3.1, RFC 768
 */
export function encodeIpv4Udp(datagram: Ipv4Datagram): Uint8Array {
  const { sourcePort, destinationPort, payload } = datagram;
  const [source, destination] = [parseIpv4(datagram.source), parseIpv4(datagram.destination)];
  if (source === undefined || destination === undefined || payload.byteLength > PAYLOAD_MAX) {
    throw new RangeError(
      `no datagram of ${payload.byteLength} bytes from ${datagram.source} to ${datagram.destination}`,
    );
  }
  const udpBytes = UDP_BYTES + payload.byteLength;
  const out = Buffer.alloc(IP_BYTES + udpBytes);
  out[0] = 0x45;
  out.writeUInt16BE(out.byteLength, 2);
  out[8] = TTL;
  out[9] = PROTOCOL_UDP;
  out.set(source, 12);
  out.set(destination, 16);
  out.writeUInt16BE(sourcePort, IP_BYTES);
  out.writeUInt16BE(destinationPort, IP_BYTES + 2);
  out.writeUInt16BE(udpBytes, IP_BYTES + 4);
  out.set(payload, IP_BYTES + UDP_BYTES);
  // The pseudo header: both addresses (bytes 12 to 19), the protocol and the length.
  const udpSum = checksum(out.subarray(12), PROTOCOL_UDP + udpBytes);
  out.writeUInt16BE(udpSum === 0 ? 0xffff : udpSum, IP_BYTES + 6);
  out.writeUInt16BE(checksum(out.subarray(0, IP_BYTES)), 10);
  return out;
}

/**
 * Decode a datagram. The checksum of UDP is not looked at: packets that a host sends to itself through a virtual cable do not have it yet.
 *
 * @param packet From the first byte of the IPv4 header; bytes behind the packet's own length (padding of the link) are ignored.
 * @returns undefined for anything that is no whole, unfragmented UDP datagram with a right header checksum; the caller drops it.
 */
export function decodeIpv4Udp(packet: Uint8Array): Ipv4Datagram | undefined {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (packet.byteLength < IP_BYTES + UDP_BYTES || view.getUint8(0) >> 4 !== 4) return undefined;
  const headBytes = (view.getUint8(0) & 0xf) * 4;
  const totalBytes = view.getUint16(2);
  const isFragment = (view.getUint16(6) & 0x3fff) !== 0;
  if (headBytes < IP_BYTES || totalBytes > packet.byteLength || totalBytes < headBytes + UDP_BYTES) return undefined;
  if (isFragment || view.getUint8(9) !== PROTOCOL_UDP || checksum(packet.subarray(0, headBytes)) !== 0)
    return undefined;
  const udpBytes = view.getUint16(headBytes + 4);
  if (udpBytes < UDP_BYTES || headBytes + udpBytes > totalBytes) return undefined;
  return {
    source: formatIpv4(packet, 12),
    destination: formatIpv4(packet, 16),
    sourcePort: view.getUint16(headBytes),
    destinationPort: view.getUint16(headBytes + 2),
    payload: packet.subarray(headBytes + UDP_BYTES, headBytes + udpBytes),
  };
}

/** The internet checksum. @see RFC 1071 */
function checksum(bytes: Uint8Array, start = 0): number {
  let sum = start;
  for (let i = 0; i < bytes.byteLength; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
