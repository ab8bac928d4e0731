import { createHash } from 'node:crypto';

/** What an event is known by. */
export interface EventKey {
  readonly id: number;
  readonly content: number;
}

/** Remembers what one machine has published: delivery is at least once. */
export interface SeenEvents {
  /** True for an event that was added before. Never for one whose id came with other content, too: such ids tell nothing. */
  isRepeated(key: EventKey): boolean;
  add(key: EventKey): void;
}

const SEEN_MAX = 128;
const KEY_BYTES = 6;

/** A machine has one event under way at a time and repeats that one; 128 are remembered, in 2 KiB. */
export function createSeenEvents(): SeenEvents {
  const ids = new Float64Array(SEEN_MAX).fill(-1);
  const contents = new Float64Array(SEEN_MAX);
  let next = 0;
  return {
    isRepeated({ id, content }) {
      let isFound = false;
      for (let at = ids.indexOf(id); at >= 0; at = ids.indexOf(id, at + 1)) {
        if (contents[at] !== content) return false;
        isFound = true;
      }
      return isFound;
    },
    add({ id, content }) {
      ids[next] = id;
      contents[next] = content;
      next = (next + 1) % SEEN_MAX;
    },
  };
}

/**
 * What makes an event the same as another: its id and its bytes.
 *
 * @returns undefined for an event without id: each of those is another one.
 */
export function eventKey(
  id: string,
  { typeUrl, value }: { readonly typeUrl: string; readonly value: Uint8Array },
): EventKey | undefined {
  if (id === '') return undefined;
  const content = createHash('sha1').update(typeUrl).update('\0').update(value);
  return { id: number(createHash('sha1').update(id).digest()), content: number(content.digest()) };
}

function number(hash: Buffer): number {
  return hash.readUIntBE(0, KEY_BYTES);
}
