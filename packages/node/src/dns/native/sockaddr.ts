import type { Listen } from '@bloomery/ports';
import { parseIpv4, parseIpv6 } from '@bloomery/wire';

const AF_INET = 2;
const AF_INET6 = 10;

/** The sockaddr of Linux for an address without zone; undefined when `host` is none. */
export function encodeSockaddr({ host, port }: Listen): Uint8Array | undefined {
  const v4 = parseIpv4(host);
  const v6 = v4 === undefined ? parseIpv6(host) : undefined;
  const address = v4 ?? v6;
  if (address === undefined) return undefined;
  const out = new Uint8Array(v4 === undefined ? 28 : 16);
  out[0] = v4 === undefined ? AF_INET6 : AF_INET;
  out[2] = port >>> 8;
  out[3] = port;
  out.set(address, v4 === undefined ? 8 : 4);
  return out;
}

/** Whether a sockaddr is of this host's loopback. */
export function isLoopbackSockaddr(sockaddr: Uint8Array): boolean {
  if (sockaddr[0] === AF_INET) return sockaddr[4] === 127;
  const address = sockaddr.subarray(8, 24);
  const isOne = address.subarray(0, 15).every((byte) => byte === 0) && address[15] === 1;
  return sockaddr[0] === AF_INET6 && isOne;
}
