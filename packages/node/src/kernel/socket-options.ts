import { readdir, readlink } from 'node:fs/promises';
import { loadLibC } from './libc.ts';

const AF_NETLINK = 16;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
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
 * Have the kernel explain refusals in words, check requests strictly, and buffer more than the system's default. The npm package
 * that reads the socket has no call for these, so they are set on its file descriptor.
 *
 * @returns whether it could be done; without, refusals have their error number only.
 */
export async function setNetlinkOptions({ port, receiveBufferBytes }: NetlinkSocketOptions): Promise<boolean> {
  const libc = await loadLibC();
  const fd = await findNetlinkSocket(port);
  if (libc === undefined || fd === undefined) return false;
  const set = (level: number, option: number, value: number): boolean => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return libc.setsockopt(fd, level, option, bytes, bytes.length) === 0;
  };
  set(SOL_SOCKET, SO_RCVBUFFORCE, receiveBufferBytes);
  set(SOL_NETLINK, NETLINK_CAP_ACK, 1);
  set(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
  return set(SOL_NETLINK, NETLINK_EXT_ACK, 1);
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
