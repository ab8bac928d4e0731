import koffi from 'koffi';

/** Numbers of Linux, the same on x86-64 and arm64. */
export const LINUX = {
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_CLOEXEC: 0x80000,
  SOCK_NONBLOCK: 0x800,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_RCVBUF: 8,
  IPPROTO_IP: 0,
  IP_TTL: 2,
  IPPROTO_IPV6: 41,
  IPV6_UNICAST_HOPS: 16,
  IPV6_V6ONLY: 26,
  POLLIN: 1,
  POLLNVAL: 0x20,
  MSG_TRUNC: 0x20,
  MSG_DONTWAIT: 0x40,
  EFD_CLOEXEC: 0x80000,
  EFD_NONBLOCK: 0x800,
} as const;

/** The calls of the C library that serve datagrams. Addresses of memory are numbers. All return -1 for a failure. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: number, length: number): number;
  listen(fd: number, backlog: number): number;
  getsockname(fd: number, address: number, length: number): number;
  setsockopt(fd: number, level: number, name: number, value: number, length: number): number;
  poll(fds: number, count: number, timeoutMs: number): number;
  recvmmsg(fd: number, messages: number, count: number, flags: number, timeout: number): number;
  sendmmsg(fd: number, messages: number, count: number, flags: number): number;
  sendto(fd: number, bytes: number, length: number, flags: number, address: number, addressLength: number): number;
  eventfd(initial: number, flags: number): number;
  read(fd: number, bytes: number, length: number): number;
  close(fd: number): number;
  /** Of the last call that failed. */
  errno(): number;
}

/** Bind them. @throws an Error when there is no such library or call. */
export function loadLibc(): Libc {
  const library = koffi.load(null);
  return {
    socket: library.func('int socket(int, int, int)'),
    bind: library.func('int bind(int, uintptr_t, uint)'),
    listen: library.func('int listen(int, int)'),
    getsockname: library.func('int getsockname(int, uintptr_t, uintptr_t)'),
    setsockopt: library.func('int setsockopt(int, int, int, uintptr_t, uint)'),
    poll: library.func('int poll(uintptr_t, ulong, int)'),
    recvmmsg: library.func('int recvmmsg(int, uintptr_t, uint, int, uintptr_t)'),
    sendmmsg: library.func('int sendmmsg(int, uintptr_t, uint, int)'),
    sendto: library.func('long sendto(int, uintptr_t, ulong, int, uintptr_t, uint)'),
    eventfd: library.func('int eventfd(uint, int)'),
    read: library.func('long read(int, uintptr_t, ulong)'),
    close: library.func('int close(int)'),
    errno: () => koffi.errno(),
  };
}

/** Where the bytes are; they must stay referenced as long as the address is used. */
export function addressOf(bytes: Uint8Array): number {
  return Number(koffi.address(bytes));
}
