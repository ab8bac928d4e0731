import type { Clock, RandomBytes } from '@bloomery/ports';

const ALPHABET = '0123456789abcdefghijklmnopqrstuv';
const ID_BYTES = 12;
const ID_CHARACTERS = 20;
const COUNTER_MAX = 0xff_ffff;

/**
 * A source of event ids (xids): 4 bytes of seconds, 5 that are drawn once, a counter of 3, as 20 characters of base32hex.
 * Each id sorts after the one before, also when the clock is set back.
 */
export function createEventIds(clock: Clock, random: RandomBytes): () => string {
  const own = random(5);
  let seconds = 0;
  let counter = 0;
  return () => {
    const now = Math.floor(clock.nowMs() / 1000);
    if (now > seconds || counter === COUNTER_MAX) {
      seconds = Math.max(now, seconds + 1);
      counter = 0;
    } else {
      counter += 1;
    }
    const bytes = Buffer.alloc(ID_BYTES);
    bytes.writeUInt32BE(seconds >>> 0);
    bytes.set(own, 4);
    bytes.writeUIntBE(counter, 9, 3);
    return base32hex(bytes);
  };
}

function base32hex(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += ALPHABET[(value >> (bits - 5)) & 31];
  }
  return `${text}${ALPHABET[(value << (5 - bits)) & 31]}`.slice(0, ID_CHARACTERS);
}
