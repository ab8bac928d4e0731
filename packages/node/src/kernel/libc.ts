/** Functions of the C library that Node has nothing for. All return -1 for failure. */
export interface LibC {
  socket(family: number, type: number, protocol: number): number;
  close(fd: number): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number;
  /** @param length The size of `value` as 4 bytes, little-endian. */
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array): number;
  /** @param length The size of `address` as 4 bytes, little-endian. */
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  sendto(fd: number, bytes: Uint8Array, length: number, flags: number, to: Uint8Array, toLength: number): number;
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  /** What the last call failed with. */
  errno(): number;
}

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
    return {
      socket: library.func('int socket(int, int, int)'),
      close: library.func('int close(int)'),
      setsockopt: library.func('int setsockopt(int, int, int, const void *, uint32_t)'),
      getsockopt: library.func('int getsockopt(int, int, int, _Out_ uint8_t *, _Inout_ uint8_t *)'),
      getsockname: library.func('int getsockname(int, _Out_ uint8_t *, _Inout_ uint8_t *)'),
      sendto: library.func('intptr_t sendto(int, const void *, size_t, int, const void *, uint32_t)'),
      ioctl: library.func('int ioctl(int, unsigned long, void *)'),
      errno: () => koffi.errno(),
    };
  } catch {
    return undefined;
  }
}
