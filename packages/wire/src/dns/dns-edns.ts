import { DNS_TYPE } from './dns-code.ts';
import type { DnsRecordFrame } from './dns-record.ts';

/** One EDNS option. */
export interface DnsOption {
  readonly code: number;
  readonly data: Uint8Array;
}

/** What an OPT record says (RFC 6891). */
export interface DnsEdns {
  /** Largest UDP payload that the sender takes. */
  readonly udpSizeBytes: number;
  /** Upper 8 bits of the response code. */
  readonly extendedRcode: number;
  readonly version: number;
  readonly dnssecOk: boolean;
  readonly options: readonly DnsOption[];
}

const DO = 0x8000;
/** More options than any client sends. */
const OPTIONS_MAX = 64;

/** Bytes of an OPT record without options. */
export const DNS_OPT_BYTES = 11;

/** Read an OPT record; undefined when it is of another type, its options run over its end, or there are more than 64. */
export function readDnsEdns(message: Uint8Array, frame: DnsRecordFrame): DnsEdns | undefined {
  if (frame.type !== DNS_TYPE.OPT) return undefined;
  const options: DnsOption[] = [];
  let at = frame.dataAt;
  while (at < frame.end) {
    if (at + 4 > frame.end || options.length >= OPTIONS_MAX) return undefined;
    const next = at + 4 + uint16(message, at + 2);
    if (next > frame.end) return undefined;
    options.push({ code: uint16(message, at), data: Uint8Array.from(message.subarray(at + 4, next)) });
    at = next;
  }
  return {
    udpSizeBytes: frame.class,
    extendedRcode: message[frame.ttlAt] ?? 0,
    version: message[frame.ttlAt + 1] ?? 0,
    dnssecOk: (uint16(message, frame.ttlAt + 2) & DO) !== 0,
    options,
  };
}

/** An OPT record; options that do not fit into 65535 bytes are left out. */
export function encodeDnsEdns(edns: DnsEdns): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const { code, data } of edns.options) {
    if (length + 4 + data.byteLength > 0xffff) continue;
    const head = Buffer.alloc(4);
    head.writeUInt16BE(code, 0);
    head.writeUInt16BE(data.byteLength, 2);
    parts.push(head, data);
    length += 4 + data.byteLength;
  }
  const out = Buffer.alloc(DNS_OPT_BYTES);
  out.writeUInt16BE(DNS_TYPE.OPT, 1);
  out.writeUInt16BE(edns.udpSizeBytes & 0xffff, 3);
  out[5] = edns.extendedRcode;
  out[6] = edns.version;
  out.writeUInt16BE(edns.dnssecOk ? DO : 0, 7);
  out.writeUInt16BE(length, 9);
  return Buffer.concat([out, ...parts]);
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
