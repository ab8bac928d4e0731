import { readdir, readlink } from 'node:fs/promises';
import { loadLibC } from './libc.ts';

const AF_NETLINK = 16;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SO_MEMINFO = 55;
/** Nine counters of 32 bits; the last is that of lost messages. */
const MEMINFO_BYTES = 36;
const MEMINFO_DROPS = 32;
const SOL_NETLINK = 270;
const NETLINK_NO_ENOBUFS = 5;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const SOCKADDR_NL = 12;

/** What a netlink socket is told beside its address. */
export interface NetlinkSocketOptions {
  /** Of the socket that it is for. */
  readonly port: number;
  /** Above the system's limit where we may. */
  readonly receiveBufferBytes: number;
}

/**
 * Have the kernel explain refusals in words, check requests strictly, buffer more than the system's default, and not make overflows
 * an error of the socket: the npm package that reads the socket ends the whole process at that error (0.3.0 makes an exception with a
 * NULL text when poll tells EPOLLERR), and has no calls for these options, so they are set on its file descriptor.
 *
 * @returns how many messages were lost so far, as a function: to be asked after each message, as there is one left to read whenever
 * others are lost; undefined where these options cannot be set.
 */
export async function setNetlinkOptions(options: NetlinkSocketOptions): Promise<(() => number) | undefined> {
  const { port, receiveBufferBytes } = options;
  const libc = await loadLibC();
  const fd = await findNetlinkSocket(port);
  if (libc === undefined || fd === undefined) return undefined;
  const set = (level: number, option: number, value: number): boolean => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return libc.setsockopt(fd, level, option, bytes, bytes.length) === 0;
  };
  if (!set(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1)) return undefined;
  // Without CAP_NET_ADMIN up to the system's limit.
  if (!set(SOL_SOCKET, SO_RCVBUFFORCE, receiveBufferBytes)) set(SOL_SOCKET, SO_RCVBUF, receiveBufferBytes);
  set(SOL_NETLINK, NETLINK_CAP_ACK, 1);
  set(SOL_NETLINK, NETLINK_EXT_ACK, 1);
  set(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
  const counters = Buffer.alloc(MEMINFO_BYTES);
  const length = Buffer.alloc(4);
  return () => {
    length.writeUInt32LE(MEMINFO_BYTES);
    const failed = libc.getsockopt(fd, SOL_SOCKET, SO_MEMINFO, counters, length) !== 0;
    return failed ? 0 : counters.readUInt32LE(MEMINFO_DROPS);
  };
}

/** The descriptor of our own netlink socket with this port: no two of a process have the same here. */
async function findNetlinkSocket(port: number): Promise<number | undefined> {
  const libc = await loadLibC();
  for (const name of await readdir('/proc/self/fd').catch(() => [])) {
    const target = await readlink(`/proc/self/fd/${name}`).catch(() => '');
    if (libc === undefined || !target.startsWith('socket:')) continue;
    const address = Buffer.alloc(SOCKADDR_NL);
    const length = Buffer.from([SOCKADDR_NL, 0, 0, 0]);
    const isNetlink = libc.getsockname(Number(name), address, length) === 0 && address.readUInt16LE(0) === AF_NETLINK;
    if (isNetlink && address.readUInt32LE(4) === port) return Number(name);
  }
  return undefined;
}
