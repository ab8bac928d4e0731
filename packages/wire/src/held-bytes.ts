/** Asked before so many bytes more of memory are taken (positive: false refuses), told when they are let go (negative). */
export type HoldBytes = (byBytes: number) => boolean;

/** The first part of something that comes in pieces. */
export interface HeldBytes {
  readonly size: number;
  /** Keep these, too; false, and nothing of them is kept, when the memory for them is refused. */
  add(bytes: Uint8Array): boolean;
  /** All that was kept, and these behind it; nothing is kept any more. The bytes may be those that were given. */
  takeWith(bytes: Uint8Array): Buffer;
  clear(): void;
}

const FIRST_BYTES = 512;

/**
 * Hold what comes in pieces in one buffer that grows by doubling: many small pieces cost no more than a large one, and what is
 * held is known to whoever bounds it.
 *
 * @param maxBytes More is never taken: no piece goes beyond it.
 */
export function createHeldBytes(hold: HoldBytes, maxBytes: number): HeldBytes {
  let buffer: Buffer | undefined;
  let size = 0;
  const clear = (): void => {
    if (buffer !== undefined) hold(-buffer.length);
    buffer = undefined;
    size = 0;
  };
  const grown = (wanted: number): Buffer | undefined => {
    const have = buffer?.length ?? 0;
    if (buffer !== undefined && have >= wanted) return buffer;
    const length = Math.max(wanted, Math.min(maxBytes, Math.max(2 * have, FIRST_BYTES)));
    if (!hold(length - have)) return undefined;
    const larger = Buffer.allocUnsafeSlow(length);
    if (buffer !== undefined) larger.set(buffer.subarray(0, size));
    return larger;
  };
  return {
    get size() {
      return size;
    },
    add: (bytes) => {
      const room = grown(size + bytes.length);
      if (room === undefined) return false;
      room.set(bytes, size);
      buffer = room;
      size += bytes.length;
      return true;
    },
    takeWith: (bytes) => {
      const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      const whole = buffer === undefined ? given : Buffer.concat([buffer.subarray(0, size), given]);
      clear();
      return whole;
    },
    clear,
  };
}
