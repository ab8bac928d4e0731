const GROUPS = 8;
const TEXT_MAX = 45;

/**
 * The 16 bytes of an IPv6 address in text form, also with an embedded IPv4 tail. Zones (`%eth0`) are refused.
 *
 * @returns undefined when the text is not an IPv6 address.
 * @see RFC 4291 section 2.2
 */
export function parseIpv6(text: string): Uint8Array | undefined {
  if (text.length > TEXT_MAX) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = GROUPS - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/**
 * The canonical text of an IPv6 address. One that stands for an IPv4 address ends in that: `::ffff:10.0.0.1`.
 *
 * @param bytes 16 bytes.
 * @throws RangeError when there are not exactly 16 bytes.
 * @see RFC 5952 sections 4 and 5
 */
export function formatIpv6(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError(`an IPv6 address has 16 bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const groups = Array.from({ length: GROUPS }, (_, i) => view.getUint16(i * 2).toString(16));
  const { start, length } = longestZeroRun(groups);
  if (start === 0 && length === 5 && groups[5] === 'ffff') return `::ffff:${bytes.subarray(12).join('.')}`;
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** The first of the longest runs of zero groups. */
function longestZeroRun(groups: readonly string[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, i) => {
    if (group !== '0') start = i + 1;
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start };
  });
  return best;
}

function parseGroups(text: string, ipv4Tail: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const last = parts.at(-1) ?? '';
  const v4 = last.includes('.') ? parseIpv4Groups(last) : [];
  if (v4 === undefined || (v4.length > 0 && !ipv4Tail)) return undefined;
  const hex = v4.length > 0 ? parts.slice(0, -1) : parts;
  if (!hex.every((part) => /^[0-9a-fA-F]{1,4}$/.test(part))) return undefined;
  return [...hex.map((part) => Number.parseInt(part, 16)), ...v4];
}

function parseIpv4Groups(text: string): readonly number[] | undefined {
  const octets = text.split('.');
  if (octets.length !== 4 || !octets.every((o) => /^(0|[1-9]\d{0,2})$/.test(o) && Number(o) < 256)) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = octets.map(Number);
  return [(a << 8) | b, (c << 8) | d];
}
