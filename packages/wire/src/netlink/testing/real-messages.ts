import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NetlinkBytes } from '../netlink-bytes.ts';
import { eachNetlinkMessage, type NetlinkMessage } from '../netlink-message.ts';

const FILE = join(import.meta.dirname, '../testdata/linux-6.18.json');
const messages: Readonly<Record<string, string>> = JSON.parse(readFileSync(FILE, 'utf8'));

/** Names of the messages that a kernel (6.18) sent: `link#0`, … */
export const REAL_MESSAGES: readonly string[] = Object.keys(messages);

/** The bytes of one of them. */
export function realBytes(name: string): Buffer {
  return Buffer.from(messages[name] ?? '', 'hex');
}

/** Its first message, read from its bytes or from others. */
export function readMessage<T>(bytes: Uint8Array, read: (bytes: NetlinkBytes, message: NetlinkMessage) => T): T {
  const all: T[] = [];
  const input = new NetlinkBytes(bytes);
  eachNetlinkMessage(input, (message) => all.push(read(input, message)));
  for (const first of all) return first;
  throw new Error('no message');
}

/** What a decoder makes of one of them. */
export function decodeReal<T>(name: string, decode: (bytes: NetlinkBytes, from: number, to: number) => T): T {
  return readMessage(realBytes(name), (bytes, { from, to }) => decode(bytes, from, to));
}
