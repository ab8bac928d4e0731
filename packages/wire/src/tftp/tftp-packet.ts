import { BloomeryError } from '@bloomery/ports';

/** Options of a request or an OACK, in order. Names are lower case. */
export type TftpOptions = readonly (readonly [name: string, value: string])[];

/** A read or write request. */
export interface TftpRequest {
  readonly type: 'read' | 'write';
  readonly file: string;
  /** Lower case: `octet`, `netascii`, … */
  readonly mode: string;
  readonly options: TftpOptions;
}

/** Any TFTP datagram. */
export type TftpPacket =
  | TftpRequest
  | { readonly type: 'data'; readonly block: number; readonly bytes: Uint8Array }
  | { readonly type: 'ack'; readonly block: number }
  | { readonly type: 'error'; readonly code: number; readonly message: string }
  | { readonly type: 'oack'; readonly options: TftpOptions };

/** Error codes. @see RFC 1350 section 5, RFC 2347 section 4 */
export const TFTP_ERROR = {
  UNDEFINED: 0,
  NOT_FOUND: 1,
  ACCESS: 2,
  DISK_FULL: 3,
  ILLEGAL: 4,
  UNKNOWN_TID: 5,
  EXISTS: 6,
  NO_USER: 7,
  OPTIONS: 8,
} as const;

const OPCODE = { read: 1, write: 2, data: 3, ack: 4, error: 5, oack: 6 } as const;
/** Requests and OACKs longer than this are malformed. The RFCs say 512; long paths with all options come near it. */
const TEXTS_MAX_BYTES = 1_024;
const OPTIONS_MAX = 16;

/**
 * Decode one TFTP datagram.
 *
 * @param packet UDP payload. The bytes of `data` point into it.
 * @throws BloomeryError BLM_WIRE_TRUNCATED when it is short or a NUL is missing, BLM_WIRE_MALFORMED when it is too long or has
 * more than 16 options.
 * @returns undefined for an unknown opcode (the caller drops it silently).
 * @see RFC 1350 section 5, RFC 2347 section 2
 */
export function decodeTftp(packet: Uint8Array): TftpPacket | undefined {
  if (packet.byteLength < 4) throw truncated(packet.byteLength);
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const opcode = view.getUint16(0);
  switch (opcode) {
    case OPCODE.read:
    case OPCODE.write:
      return decodeRequest(packet, opcode === OPCODE.read ? 'read' : 'write');
    case OPCODE.data:
      return { type: 'data', block: view.getUint16(2), bytes: packet.subarray(4) };
    case OPCODE.ack:
      return { type: 'ack', block: view.getUint16(2) };
    case OPCODE.error:
      return { type: 'error', code: view.getUint16(2), message: errorMessage(packet.subarray(4)) };
    case OPCODE.oack:
      return { type: 'oack', options: optionsOf(textsOf(packet.subarray(2))) };
    default:
      return undefined;
  }
}

/** Encode one TFTP datagram; NULs in texts are left out. */
export function encodeTftp(packet: TftpPacket): Uint8Array {
  switch (packet.type) {
    case 'read':
    case 'write':
      return withTexts(OPCODE[packet.type], [packet.file, packet.mode, ...packet.options.flat()]);
    case 'oack':
      return withTexts(OPCODE.oack, packet.options.flat());
    case 'data': {
      const out = Buffer.allocUnsafe(4 + packet.bytes.byteLength);
      out.writeUInt16BE(OPCODE.data, 0);
      out.writeUInt16BE(packet.block, 2);
      out.set(packet.bytes, 4);
      return out;
    }
    case 'ack': {
      const out = Buffer.allocUnsafe(4);
      out.writeUInt16BE(OPCODE.ack, 0);
      out.writeUInt16BE(packet.block, 2);
      return out;
    }
    case 'error':
      return Buffer.concat([
        Uint8Array.of(0, OPCODE.error, packet.code >> 8, packet.code & 0xff),
        nulText(packet.message),
      ]);
  }
}

function decodeRequest(packet: Uint8Array, type: 'read' | 'write'): TftpRequest {
  const [file, mode, ...rest] = textsOf(packet.subarray(2));
  if (file === undefined || mode === undefined) throw truncated(packet.byteLength);
  return { type, file, mode: mode.toLowerCase(), options: optionsOf(rest) };
}

function textsOf(field: Uint8Array): string[] {
  if (field.byteLength > TEXTS_MAX_BYTES) throw malformed(`TFTP request of ${field.byteLength} bytes`);
  const texts: string[] = [];
  let at = 0;
  while (at < field.byteLength) {
    const end = field.indexOf(0, at);
    // Some ROMs pad their requests with bytes behind the last NUL: what is unterminated after file and mode is ignored.
    if (end < 0) {
      if (texts.length >= 2) return texts;
      throw truncated(field.byteLength);
    }
    texts.push(Buffer.from(field.subarray(at, end)).toString('utf8'));
    at = end + 1;
    if (texts.length > 2 + 2 * OPTIONS_MAX) throw malformed(`TFTP request with more than ${OPTIONS_MAX} options`);
  }
  return texts;
}

function optionsOf(texts: readonly string[]): TftpOptions {
  const options: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < texts.length; i += 2) {
    const name = texts[i];
    const value = texts[i + 1];
    if (name !== undefined && value !== undefined && name !== '') options.push([name.toLowerCase(), value]);
  }
  return options;
}

function errorMessage(field: Uint8Array): string {
  const end = field.indexOf(0);
  return Buffer.from(field.subarray(0, Math.min(end < 0 ? field.byteLength : end, TEXTS_MAX_BYTES))).toString('utf8');
}

function withTexts(opcode: number, texts: readonly string[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(0, opcode), ...texts.map(nulText)]);
}

function nulText(text: string): Uint8Array {
  return Buffer.from(`${text.replaceAll('\0', '')}\0`, 'utf8');
}

function truncated(length: number): BloomeryError {
  return new BloomeryError('BLM_WIRE_TRUNCATED', `TFTP packet of ${length} bytes ends too early`);
}

function malformed(message: string): BloomeryError {
  return new BloomeryError('BLM_WIRE_MALFORMED', message);
}
