import { createHash } from 'node:crypto';

/** Remembers what one machine has published: delivery is at least once. */
export interface SeenEvents {
  has(key: number): boolean;
  add(key: number): void;
}

const SEEN_MAX = 128;
const KEY_BYTES = 6;

/** A machine has one event under way at a time and repeats that one; 128 are remembered, in 1 KiB. */
export function createSeenEvents(): SeenEvents {
  const ring = new Float64Array(SEEN_MAX).fill(-1);
  let next = 0;
  return {
    has: (key) => ring.includes(key),
    add(key) {
      ring[next] = key;
      next = (next + 1) % SEEN_MAX;
    },
  };
}

/**
 * What makes an event the same as another: its id and its bytes. Senders of other make may not give ids.
 *
 * @returns undefined for an event without id: each of those is another one.
 */
export function eventKey(
  id: string,
  data: { readonly typeUrl: string; readonly value: Uint8Array },
): number | undefined {
  if (id === '') return undefined;
  const hash = createHash('sha1').update(id).update('\0').update(data.typeUrl).update('\0').update(data.value);
  return hash.digest().readUIntBE(0, KEY_BYTES);
}
