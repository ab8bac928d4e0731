import { parseIpv4, parseIpv6 } from '@bloomery/wire';
import type { KernelLink } from './kernel.ts';
import { kernelRefused } from './kernel-error.ts';
import { loadLibC } from './libc.ts';

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const ETH_P_ARP = 0x0806;
const ETH_P_IPV6 = 0x86dd;
const EOPNOTSUPP = 95;
const MAC_BYTES = 6;

/**
 * Tell the neighbours of a link who has an address now: a gratuitous ARP request (IPv4) or an unsolicited neighbour
 * advertisement (IPv6), so that they forget who had it before.
 *
 * @throws BloomeryError BLM_KERNEL_REFUSED also for links without a hardware address.
 */
export async function announceAddress(link: KernelLink, address: string): Promise<void> {
  const what = `announcing ${address} on ${link.name}`;
  const frame = announcementFrame(link.hardwareAddr, address);
  const libc = await loadLibC();
  if (frame === undefined || libc === undefined) throw kernelRefused(what, { errno: EOPNOTSUPP });
  const protocol = frame.readUInt16BE(12);
  const to = Buffer.alloc(20);
  to.writeUInt16LE(AF_PACKET, 0);
  to.writeUInt16BE(protocol, 2);
  to.writeInt32LE(link.index, 4);
  to.writeUInt8(MAC_BYTES, 11);
  frame.copy(to, 12, 0, MAC_BYTES);
  // Protocol 0: nothing is received.
  const fd = libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) throw kernelRefused(what, { errno: libc.errno() });
  try {
    if (libc.sendto(fd, frame, frame.length, 0, to, to.length) < 0) throw kernelRefused(what, { errno: libc.errno() });
  } finally {
    libc.close(fd);
  }
}

/** The Ethernet frame. @returns undefined when the address, or the link's, is none. */
export function announcementFrame(hardwareAddr: string, address: string): Buffer | undefined {
  const mac = Buffer.from(hardwareAddr.replaceAll(':', ''), 'hex');
  const [ip = ''] = address.split('/');
  const bytes = parseIpv4(ip) ?? parseIpv6(ip);
  if (mac.length !== MAC_BYTES || bytes === undefined) return undefined;
  return bytes.length === 4 ? arpFrame(mac, bytes) : advertisementFrame(mac, bytes);
}

/** RFC 5227 section 3: an ARP request whose sender and target are the same address. */
function arpFrame(mac: Buffer, ip: Uint8Array): Buffer {
  const broadcast = Buffer.alloc(MAC_BYTES, 0xff);
  const head = Buffer.from([ETH_P_ARP >> 8, ETH_P_ARP & 0xff, 0, 1, 8, 0, 6, 4, 0, 1]);
  return Buffer.concat([broadcast, mac, head, mac, ip, Buffer.alloc(MAC_BYTES), ip]);
}

/** RFC 4861 section 4.4, to all nodes, with the override flag. */
function advertisementFrame(mac: Buffer, ip: Uint8Array): Buffer {
  const allNodes = Buffer.from('ff020000000000000000000000000001', 'hex');
  const body = Buffer.concat([Buffer.from([136, 0, 0, 0, 0x20, 0, 0, 0]), ip, Buffer.from([2, 1]), mac]);
  const pseudo = Buffer.concat([ip, allNodes, Buffer.from([0, 0, 0, body.length, 0, 0, 0, 58]), body]);
  body.writeUInt16BE(checksum(pseudo), 2);
  const head = Buffer.from([0x60, 0, 0, 0, 0, body.length, 58, 255]);
  const ethernet = Buffer.from([0x33, 0x33, 0, 0, 0, 1, ...mac, ETH_P_IPV6 >> 8, ETH_P_IPV6 & 0xff]);
  return Buffer.concat([ethernet, head, ip, allNodes, body]);
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
