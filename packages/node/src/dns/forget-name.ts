import type { AnswerCache } from './answer-cache.ts';

const HEADER_BYTES = 12;
const [A, PTR, AAAA, IN] = [1, 12, 28, 1];

/** Forget the addresses of a name, or whose address it stands for. The name is in wire form and lower case. */
export function forgetName(cache: AnswerCache, name: Uint8Array): void {
  const message = new Uint8Array(HEADER_BYTES + name.byteLength + 4);
  message.set(name, HEADER_BYTES);
  message[message.byteLength - 1] = IN;
  for (const type of [A, PTR, AAAA]) {
    message[message.byteLength - 3] = type;
    cache.remove(message, message.byteLength);
  }
}
