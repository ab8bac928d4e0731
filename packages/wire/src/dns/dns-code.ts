/** Record types with names of their own here. @see the IANA registry "DNS Parameters" */
export const DNS_TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  SVCB: 64,
  HTTPS: 65,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  CAA: 257,
} as const;

/** Response codes. Those above 15 need EDNS. */
export const DNS_RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

/** Bits of the second 16-bit word of a message. */
export const DNS_FLAG = {
  QR: 0x8000,
  AA: 0x0400,
  TC: 0x0200,
  RD: 0x0100,
  RA: 0x0080,
  AD: 0x0020,
  CD: 0x0010,
} as const;

export const DNS_CLASS_IN = 1;

const TYPE_NAMES = new Map<number, string>(Object.entries(DNS_TYPE).map(([name, code]) => [code, name]));
const RCODE_NAMES = new Map<number, string>(Object.entries(DNS_RCODE).map(([name, code]) => [code, name]));

/** `AAAA`, or `TYPE65280` (RFC 3597) for those without a name here. */
export function dnsTypeName(type: number): string {
  return TYPE_NAMES.get(type) ?? `TYPE${type}`;
}

/** The number of `aaaa`, `AAAA` or `TYPE28`; undefined for other text. */
export function parseDnsType(text: string): number | undefined {
  const upper = text.toUpperCase();
  for (const [name, code] of Object.entries(DNS_TYPE)) if (name === upper) return code;
  const number = /^TYPE(\d{1,5})$/.exec(upper)?.[1];
  return number === undefined || Number(number) > 0xffff ? undefined : Number(number);
}

/** `NXDOMAIN`, or `RCODE23`. */
export function dnsRcodeName(rcode: number): string {
  return RCODE_NAMES.get(rcode) ?? `RCODE${rcode}`;
}
