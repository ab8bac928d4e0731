import { LINUX, type Libc } from './libc.ts';

/** 64 bytes of memory for arguments of calls. */
export interface SocketRoom {
  readonly bytes: Uint8Array;
  readonly address: number;
}

const RECEIVE_BUFFER_BYTES = 1 << 20;
const BACKLOG = 128;
const SOCKADDR_BYTES = 28;

/**
 * A socket bound to an address, its hop limit set. No other process can bind the same one, not even of the same user: a second
 * server there would take half of the questions and nobody would know.
 */
export function openSocket(
  libc: Libc,
  room: SocketRoom,
  wanted: { readonly transport: 'udp' | 'tcp'; readonly address: Uint8Array; readonly hopLimit: number },
): { readonly fd: number; readonly port: number; readonly family: number } | { readonly errno: number } {
  const family = wanted.address[0] ?? 0;
  const kind = wanted.transport === 'udp' ? LINUX.SOCK_DGRAM : LINUX.SOCK_STREAM;
  const fd = libc.socket(family, kind | LINUX.SOCK_CLOEXEC | LINUX.SOCK_NONBLOCK, 0);
  if (fd < 0) return { errno: libc.errno() };
  if (family === LINUX.AF_INET6)
    setOption(libc, room, { fd, level: LINUX.IPPROTO_IPV6, name: LINUX.IPV6_V6ONLY, value: 1 });
  if (wanted.transport === 'udp')
    setOption(libc, room, { fd, level: LINUX.SOL_SOCKET, name: LINUX.SO_RCVBUF, value: RECEIVE_BUFFER_BYTES });
  else setOption(libc, room, { fd, level: LINUX.SOL_SOCKET, name: LINUX.SO_REUSEADDR, value: 1 });
  setHopLimit(libc, room, { fd, family, hopLimit: wanted.hopLimit });
  room.bytes.set(wanted.address);
  const failed =
    libc.bind(fd, room.address, wanted.address.byteLength) < 0 ||
    (wanted.transport === 'tcp' && libc.listen(fd, BACKLOG) < 0);
  if (failed) {
    const errno = libc.errno();
    libc.close(fd);
    return { errno };
  }
  return { fd, family, port: boundPort(libc, room, fd) };
}

/** The hop limit of what is sent: it keeps answers near. */
export function setHopLimit(
  libc: Libc,
  room: SocketRoom,
  { fd, family, hopLimit }: { readonly fd: number; readonly family: number; readonly hopLimit: number },
): void {
  if (family === LINUX.AF_INET6)
    setOption(libc, room, { fd, level: LINUX.IPPROTO_IPV6, name: LINUX.IPV6_UNICAST_HOPS, value: hopLimit });
  else setOption(libc, room, { fd, level: LINUX.IPPROTO_IP, name: LINUX.IP_TTL, value: hopLimit });
}

function setOption(
  libc: Libc,
  room: SocketRoom,
  option: { readonly fd: number; readonly level: number; readonly name: number; readonly value: number },
): void {
  writeInt(room, 0, option.value);
  libc.setsockopt(option.fd, option.level, option.name, room.address, 4);
}

function boundPort(libc: Libc, room: SocketRoom, fd: number): number {
  writeInt(room, 32, SOCKADDR_BYTES);
  libc.getsockname(fd, room.address, room.address + 32);
  return ((room.bytes[2] ?? 0) << 8) | (room.bytes[3] ?? 0);
}

function writeInt({ bytes }: SocketRoom, at: number, value: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = value >>> (8 * i);
}
