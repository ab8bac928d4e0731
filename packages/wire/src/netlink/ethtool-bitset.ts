import type { NetlinkBytes } from './netlink-bytes.ts';
import type { NetlinkWriter } from './netlink-writer.ts';

const NOMASK = 1;
const SIZE = 2;
const BITS = 3;
const VALUE = 4;
const BIT = 1;
const BIT_NAME = 2;
const BIT_VALUE = 3;

/** A named bit; without a mask, those that are listed are set. */
export interface EthtoolBit {
  readonly name: string;
  readonly on: boolean;
}

/** Read a bitset in its verbose form. @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED */
export function decodeBitset(bytes: NetlinkBytes, from: number, to: number): readonly EthtoolBit[] {
  const bits: EthtoolBit[] = [];
  let hasMask = true;
  bytes.attributes(from, to, (type, start, end) => {
    if (type === NOMASK) hasMask = false;
    else if (type === BITS)
      bytes.attributes(start, end, (kind, first, last) => {
        if (kind === BIT) bits.push(readBit(bytes, first, last));
      });
  });
  return hasMask ? bits : bits.map(({ name }) => ({ name, on: true }));
}

function readBit(bytes: NetlinkBytes, from: number, to: number): EthtoolBit {
  let name = '';
  let on = false;
  bytes.attributes(from, to, (type, start, end) => {
    if (type === BIT_NAME) name = bytes.text(start, end);
    else if (type === BIT_VALUE) on = true;
  });
  return { name, on };
}

/** Names of the bits that are set. */
export function namesOf(bits: readonly EthtoolBit[]): readonly string[] {
  return bits.flatMap(({ name, on }) => (on ? [name] : []));
}

/** Write changes of named bits: those that are not named stay. */
export function encodeBits(writer: NetlinkWriter, type: number, bits: Readonly<Record<string, boolean>>): void {
  writer.nested(type, (set) =>
    set.nested(BITS, (list) => {
      for (const [name, on] of Object.entries(bits))
        list.nested(BIT, (bit) => {
          bit.text(BIT_NAME, name);
          if (on) bit.flag(BIT_VALUE);
        });
    }),
  );
}

/** Write a whole set of up to 32 bits as a number. */
export function encodeWholeBitset(writer: NetlinkWriter, type: number, size: number, value: number): void {
  writer.nested(type, (set) => set.flag(NOMASK).u32(SIZE, size).u32(VALUE, value));
}
