const SEPARATED = /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2})+$/i;
const DOTTED = /^[0-9a-f]{4}(?:\.[0-9a-f]{4})+$/i;
/** Ethernet, EUI-64, InfiniBand: bytes of a hardware address. */
const LENGTHS: ReadonlySet<number> = new Set([6, 8, 20]);

/**
 * Read a hardware address in any common notation (`52:54:00:12:34:56`, `52-54-…`, `5254.0012.3456`) of 6, 8 or 20 bytes.
 *
 * @returns lower case with colons, or undefined when it is not one.
 */
export function parseMac(text: string): string | undefined {
  if (text.length > 59 || (!SEPARATED.test(text) && !DOTTED.test(text))) return undefined;
  const bytes = Buffer.from(text.replaceAll(/[:.-]/g, ''), 'hex');
  return LENGTHS.has(bytes.length) ? formatMac(bytes) : undefined;
}

/** A hardware address in lower case with colons. */
export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
