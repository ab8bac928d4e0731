import type { Clock, RandomBytes } from '@bloomery/ports';

const DIGITS = '0123456789abcdefghijklmnopqrstuv';
const ID = /^[0-9a-v]{20}$/;
const BITS = 5;

/** Makes ids of 20 characters that sort by time: seconds, random bytes of this process, a counter. @see github.com/rs/xid */
export function createEventIds(clock: Clock, random: RandomBytes): () => string {
  const bytes = new Uint8Array(12);
  bytes.set(random(5), 4);
  let counter = 0;
  return () => {
    const view = new DataView(bytes.buffer);
    view.setUint32(0, Math.floor(clock.nowMs() / 1_000));
    counter = (counter + 1) % 0x100_0000;
    view.setUint8(9, counter >> 16);
    view.setUint16(10, counter & 0xffff);
    return encode(bytes);
  };
}

/** Whether a text is such an id. */
export const isEventId = (text: string): boolean => ID.test(text);

/** Base 32 with the digits of RFC 4648 section 7 in lower case, without padding. */
function encode(bytes: Uint8Array): string {
  let text = '';
  let held = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    held += 8;
    while (held >= BITS) {
      held -= BITS;
      text += DIGITS[(value >> held) & 31] ?? '';
      value &= (1 << held) - 1;
    }
  }
  return held === 0 ? text : text + (DIGITS[(value << (BITS - held)) & 31] ?? '');
}
