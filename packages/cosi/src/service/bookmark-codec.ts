import { grpcError } from '@bloomery/grpc';
import type { RandomBytes } from '@bloomery/ports';

const COOKIE_BYTES = 8;
const BOOKMARK_BYTES = COOKIE_BYTES + 8;

/** Bookmarks as clients keep them. Those of another run of the daemon are refused, whatever number is in them. */
export interface BookmarkCodec {
  readonly encode: (bookmark: bigint) => Uint8Array;
  /** @throws grpcError FAILED_PRECONDITION unless it is of this run */
  readonly decode: (bytes: Uint8Array) => bigint;
}

/** Bookmarks of this run: a random word, then the place of the event. */
export function createBookmarkCodec(random: RandomBytes): BookmarkCodec {
  const cookie = Uint8Array.from(random(COOKIE_BYTES));
  return {
    encode: (bookmark) => {
      const bytes = new Uint8Array(BOOKMARK_BYTES);
      bytes.set(cookie);
      new DataView(bytes.buffer).setBigInt64(COOKIE_BYTES, bookmark);
      return bytes;
    },
    decode: (bytes) => {
      const isOurs = bytes.length === BOOKMARK_BYTES && cookie.every((byte, i) => bytes[i] === byte);
      if (!isOurs) throw grpcError('FAILED_PRECONDITION', 'invalid watch bookmark');
      return new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(COOKIE_BYTES);
    },
  };
}
