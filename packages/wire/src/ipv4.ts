const DOTTED_QUAD = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** Read a dotted quad into 4 bytes. Undefined when it is not one (leading zeros are refused, as they are ambiguous). */
export function parseIpv4(text: string): Uint8Array | undefined {
  const match = text.length <= 15 ? DOTTED_QUAD.exec(text) : null;
  if (match === null) return undefined;
  const parts = match.slice(1);
  if (parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith('0')))) return undefined;
  return Uint8Array.from(parts, Number);
}

/** 4 bytes at `offset` as a dotted quad. The caller checks the length. */
export function formatIpv4(bytes: Uint8Array, offset = 0): string {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
}
