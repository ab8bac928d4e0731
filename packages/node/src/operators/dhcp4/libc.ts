import { getSystemErrorMap } from 'node:util';
import { BloomeryError, errorText } from '@bloomery/ports';

/** The calls of the C library that raw sockets need. Negative results: failed, see `lastError`. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(socket: number, address: Uint8Array, length: number): number;
  setsockopt(socket: number, level: number, option: number, value: Uint8Array, length: number): number;
  recvfrom(
    socket: number,
    to: Uint8Array,
    size: number,
    flags: number,
    from: Uint8Array,
    fromLength: Uint8Array,
  ): number;
  sendto(socket: number, from: Uint8Array, size: number, flags: number, to: Uint8Array, toLength: number): number;
  eventfd(initial: number, flags: number): number;
  write(fd: number, from: Uint8Array, size: number): number;
  close(fd: number): number;
  waiter(fds: readonly number[]): Waiter;
  /** Run with a copy of these bytes at an address that stays where it is. */
  withNative<T>(bytes: Uint8Array, run: (address: bigint) => T): T;
  /** The errno of the last call, as text. */
  lastError(): string;
}

/** Who waits for files to become readable. */
export interface Waiter {
  /** Resolves when one of them can be read. Once at a time; it holds a thread of libuv's pool meanwhile. */
  wait(): Promise<void>;
  /** When nobody waits any more. */
  free(): void;
}

const POLLIN = 1;
const POLLFD_BYTES = 8;
/** Without limit: whoever waits is woken through an eventfd. */
const FOREVER = -1;

let loaded: Promise<Libc> | undefined;

/** Load it at the first use. @throws BloomeryError BLM_NODE_DHCP when this host has no FFI for it */
export function loadLibc(): Promise<Libc> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Libc> {
  try {
    const { default: koffi } = await import('koffi');
    // Programs of Node already hold their C library, whichever it is: glibc or musl.
    const lib = koffi.load(null);
    const poll = lib.func('int poll(void *fds, unsigned long count, int timeoutMs)');
    const copy = (bytes: Uint8Array): object => {
      const native = koffi.alloc('uint8_t', bytes.byteLength);
      new Uint8Array(koffi.view(native, bytes.byteLength)).set(bytes);
      return native;
    };
    return {
      socket: lib.func('int socket(int domain, int type, int protocol)'),
      bind: lib.func('int bind(int socket, const void *address, uint32_t length)'),
      setsockopt: lib.func('int setsockopt(int socket, int level, int option, const void *value, uint32_t length)'),
      recvfrom: lib.func('intptr_t recvfrom(int socket, void *to, size_t size, int flags, void *from, void *length)'),
      sendto: lib.func('intptr_t sendto(int s, const void *from, size_t size, int flags, const void *to, uint32_t n)'),
      eventfd: lib.func('int eventfd(unsigned int initial, int flags)'),
      write: lib.func('intptr_t write(int fd, const void *from, size_t size)'),
      close: lib.func('int close(int fd)'),
      waiter: (fds) => {
        const list = Buffer.alloc(fds.length * POLLFD_BYTES);
        fds.forEach((fd, i) => {
          list.writeInt32LE(fd, i * POLLFD_BYTES);
          list.writeInt16LE(POLLIN, i * POLLFD_BYTES + 4);
        });
        const native = copy(list);
        return {
          wait: () =>
            new Promise((resolve, reject) => {
              poll.async(native, fds.length, FOREVER, (error: unknown) => (error ? reject(error) : resolve()));
            }),
          free: () => koffi.free(native),
        };
      },
      withNative: (bytes, run) => {
        const native = copy(bytes);
        try {
          return run(koffi.address(native));
        } finally {
          koffi.free(native);
        }
      },
      lastError: () => {
        const errno = koffi.errno();
        const [name = `errno ${errno}`, text = ''] = getSystemErrorMap().get(-errno) ?? [];
        return text === '' ? name : `${text} (${name})`;
      },
    };
  } catch (cause) {
    throw new BloomeryError('BLM_NODE_DHCP', `loading the FFI for raw sockets: ${errorText(cause)}`, { cause });
  }
}
