/** Bytes of a WireGuard key, public or private. */
export const WIREGUARD_KEY_BYTES = 32;

const KEY_TEXT_MAX = 200;

/**
 * The 32 bytes of a WireGuard key in its usual text form: standard base64, padding required, CR and LF ignored.
 *
 * @returns undefined for anything else: the url-safe alphabet, blanks, other lengths.
 * @see spec/siderolink.md section 5
 */
export function parseWireguardKey(text: string): Uint8Array | undefined {
  if (text.length > KEY_TEXT_MAX) return undefined;
  const compact = text.replaceAll(/[\r\n]/g, '');
  if (!/^[A-Za-z0-9+/]{43}=$/.test(compact)) return undefined;
  return new Uint8Array(Buffer.from(compact, 'base64'));
}

/** The canonical base64 text of a key. */
export function formatWireguardKey(key: Uint8Array): string {
  return Buffer.from(key).toString('base64');
}

/** The lower-case hex text of a key, as the UAPI wants it. */
export function wireguardKeyHex(key: Uint8Array): string {
  return Buffer.from(key).toString('hex');
}
