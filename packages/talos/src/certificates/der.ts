import { BloomeryError } from '@bloomery/ports';

/** DER tags that X.509 needs (ITU-T X.690, universal class). */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const MAX_DER_BYTES = 1 << 20;
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/** One tag-length-value. `parts` are concatenated. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  return Buffer.concat([Uint8Array.of(tag), lengthOctets(body.length), body]);
}

function lengthOctets(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}

/** SEQUENCE of the parts. */
export const derSequence = (...parts: readonly Uint8Array[]): Uint8Array => der(TAG.sequence, ...parts);

/** SET OF: the parts in DER order (X.690 section 11.6). */
export const derSetOf = (...parts: readonly Uint8Array[]): Uint8Array =>
  der(TAG.set, ...[...parts].sort((a, b) => Buffer.compare(a, b)));

/** A non-negative INTEGER from big-endian bytes. */
export function derInteger(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const trimmed = bytes.subarray(start);
  const first = trimmed[0] ?? 0;
  return der(TAG.integer, ...(first >= 0x80 || trimmed.length === 0 ? [Uint8Array.of(0)] : []), trimmed);
}

/** BOOLEAN TRUE. */
export const derTrue = (): Uint8Array => der(TAG.boolean, Uint8Array.of(0xff));

/** BIT STRING with `unusedBits` unused bits in its last octet. */
export const derBitString = (bytes: Uint8Array, unusedBits = 0): Uint8Array =>
  der(TAG.bitString, Uint8Array.of(unusedBits), bytes);

/** OBJECT IDENTIFIER from its dotted text. */
export function derOid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets: number[] = [first * 40 + second];
  for (const arc of rest) octets.push(...base128(arc));
  return der(TAG.objectIdentifier, Uint8Array.from(octets));
}

function base128(arc: number): number[] {
  const octets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift((rest % 128) | 0x80);
  return octets;
}

/** PrintableString where the text allows it, else UTF8String: what Go writes. */
export const derText = (text: string): Uint8Array =>
  der(PRINTABLE.test(text) ? TAG.printableString : TAG.utf8String, Buffer.from(text, 'utf8'));

/** Validity time with whole seconds: UTCTime to 2049, GeneralizedTime from 2050 (RFC 5280 section 4.1.2.5). */
export function derTime(time: Date): Uint8Array {
  const digits = time
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '');
  return time.getUTCFullYear() < 2050
    ? der(TAG.utcTime, Buffer.from(digits.slice(2), 'ascii'))
    : der(TAG.generalizedTime, Buffer.from(digits, 'ascii'));
}

/** One decoded tag-length-value. `raw` includes the header. Views into the input, not copies. */
export interface DerNode {
  readonly tag: number;
  readonly body: Uint8Array;
  readonly raw: Uint8Array;
}

/**
 * Read the consecutive values in `bytes`.
 *
 * @param bytes at most 1 MiB.
 * @throws BloomeryError BLM_TALOS_CERTIFICATE_MALFORMED when a header or length does not fit. Multi-octet tags are refused.
 */
export function readDer(bytes: Uint8Array): DerNode[] {
  if (bytes.length > MAX_DER_BYTES) throw malformed(`${bytes.length} bytes are more than ${MAX_DER_BYTES}`);
  const nodes: DerNode[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    if ((tag & 0x1f) === 0x1f) throw malformed(`tag ${tag} at ${at} has more than one octet`);
    const { length, headerLength } = readLength(bytes, at);
    const end = at + headerLength + length;
    if (end > bytes.length) throw malformed(`value at ${at} ends at ${end}, after the ${bytes.length} bytes there are`);
    nodes.push({ tag, body: bytes.subarray(at + headerLength, end), raw: bytes.subarray(at, end) });
    at = end;
  }
  return nodes;
}

function readLength(bytes: Uint8Array, at: number): { length: number; headerLength: number } {
  const first = bytes[at + 1];
  if (first === undefined) throw malformed(`no length at ${at + 1}`);
  if (first < 0x80) return { length: first, headerLength: 2 };
  const count = first & 0x7f;
  if (count === 0 || count > 4 || at + 2 + count > bytes.length) throw malformed(`bad length at ${at + 1}`);
  let length = 0;
  for (const octet of bytes.subarray(at + 2, at + 2 + count)) length = length * 256 + octet;
  return { length, headerLength: 2 + count };
}

/** Dotted text of an OBJECT IDENTIFIER body. */
export function oidText(body: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const octet of body) {
    arc = arc * 128 + (octet & 0x7f);
    if (octet >= 0x80) continue;
    if (arcs.length === 0) arcs.push(Math.min(2, Math.floor(arc / 40)), arc - 40 * Math.min(2, Math.floor(arc / 40)));
    else arcs.push(arc);
    arc = 0;
  }
  return arcs.join('.');
}

/** The error for certificates and keys that cannot be read. */
export function malformed(what: string): BloomeryError {
  return new BloomeryError('BLM_TALOS_CERTIFICATE_MALFORMED', `reading a certificate: ${what}`);
}
