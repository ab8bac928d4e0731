const DOMAINS_MAX = 32;
const NAME_MAX = 253;
/** Labels and pointers that are followed for one name. */
const STEPS_MAX = 128;

/**
 * The search domains of option 119, without trailing dots, at most 32: names of DNS whose compression pointers count from the
 * beginning of the (joined) value and only point backwards.
 *
 * @returns undefined when the value is malformed; the caller leaves it out.
 * @see RFC 3397 section 2, RFC 1035 section 4.1.4
 */
export function readDhcpSearchList(value: Uint8Array): readonly string[] | undefined {
  const domains: string[] = [];
  let at = 0;
  while (at < value.byteLength && domains.length < DOMAINS_MAX) {
    const read = readName(value, at);
    if (read === undefined) return undefined;
    if (read.name !== '') domains.push(read.name);
    at = read.end;
  }
  return domains;
}

/** Names as an option value, uncompressed. Labels longer than 63 bytes are cut. */
export function dhcpSearchList(domains: readonly string[]): Uint8Array {
  const labels = domains.flatMap((domain) => [...domain.split('.').filter((label) => label !== ''), '']);
  return Uint8Array.from(
    labels.flatMap((label) => {
      const bytes = Buffer.from(label, 'latin1').subarray(0, 63);
      return [bytes.length, ...bytes];
    }),
  );
}

interface ReadName {
  readonly name: string;
  /** Behind the name, where the next one begins. */
  readonly end: number;
}

function readName(value: Uint8Array, begin: number): ReadName | undefined {
  const labels: string[] = [];
  let at = begin;
  let end: number | undefined;
  let lowest = begin;
  for (let step = 0; step < STEPS_MAX; step++) {
    const length = value[at];
    if (length === undefined) return undefined;
    if (length === 0) {
      const name = labels.join('.');
      return name.length > NAME_MAX ? undefined : { name, end: end ?? at + 1 };
    }
    if (length >= 0xc0) {
      const low = value[at + 1];
      const target = ((length & 0x3f) << 8) | (low ?? 0);
      if (low === undefined || target >= lowest) return undefined;
      end ??= at + 2;
      lowest = target;
      at = target;
      continue;
    }
    const label = value.subarray(at + 1, at + 1 + length);
    if (length > 63 || label.byteLength < length) return undefined;
    const text = Buffer.from(label).toString('latin1');
    if (!/^[\w-]+$/.test(text)) return undefined;
    labels.push(text);
    at += 1 + length;
  }
  return undefined;
}
