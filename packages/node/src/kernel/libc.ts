/** Functions of the C library that Node has nothing for. All return -1 for failure. */
export interface LibC {
  socket(family: number, type: number, protocol: number): number;
  close(fd: number): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number;
  /** @param length The size of `value` as 4 bytes, little-endian. */
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array): number;
  /** @param length The size of `address` as 4 bytes, little-endian. */
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  sendto(fd: number, bytes: Uint8Array, length: number, flags: number, to: Uint8Array, toLength: number): number;
  /** @param fromLength The size of `from` as 4 bytes, little-endian. */
  recvfrom(
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    from: Uint8Array,
    fromLength: Uint8Array,
  ): number;
  eventfd(initial: number, flags: number): number;
  write(fd: number, bytes: Uint8Array, length: number): number;
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  waiter(fds: readonly number[]): Waiter;
  /** Run with a copy of these bytes at an address that stays where it is. */
  withNative<T>(bytes: Uint8Array, run: (address: bigint) => T): T;
  /** What the last call failed with. */
  errno(): number;
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

let loaded: Promise<LibC | undefined> | undefined;

/** The C library through FFI, loaded at the first call; undefined where there is no FFI for this platform. */
export function loadLibC(): Promise<LibC | undefined> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<LibC | undefined> {
  try {
    const { default: koffi } = await import('koffi');
    const library = koffi.load(null);
    const poll = library.func('int poll(void *, unsigned long, int)');
    const copy = (bytes: Uint8Array): object => {
      const native = koffi.alloc('uint8_t', bytes.byteLength);
      new Uint8Array(koffi.view(native, bytes.byteLength)).set(bytes);
      return native;
    };
    return {
      socket: library.func('int socket(int, int, int)'),
      close: library.func('int close(int)'),
      setsockopt: library.func('int setsockopt(int, int, int, const void *, uint32_t)'),
      getsockopt: library.func('int getsockopt(int, int, int, _Out_ uint8_t *, _Inout_ uint8_t *)'),
      getsockname: library.func('int getsockname(int, _Out_ uint8_t *, _Inout_ uint8_t *)'),
      bind: library.func('int bind(int, const void *, uint32_t)'),
      sendto: library.func('intptr_t sendto(int, const void *, size_t, int, const void *, uint32_t)'),
      recvfrom: library.func('intptr_t recvfrom(int, void *, size_t, int, void *, void *)'),
      eventfd: library.func('int eventfd(unsigned int, int)'),
      write: library.func('intptr_t write(int, const void *, size_t)'),
      ioctl: library.func('int ioctl(int, unsigned long, void *)'),
      waiter: (fds) => {
        const native = copy(pollList(fds));
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
      errno: () => koffi.errno(),
    };
  } catch {
    return undefined;
  }
}

function pollList(fds: readonly number[]): Uint8Array {
  const list = Buffer.alloc(fds.length * POLLFD_BYTES);
  fds.forEach((fd, i) => {
    list.writeInt32LE(fd, i * POLLFD_BYTES);
    list.writeInt16LE(POLLIN, i * POLLFD_BYTES + 4);
  });
  return list;
}
