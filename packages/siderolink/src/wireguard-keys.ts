import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { BloomeryError } from '@bloomery/ports';
import { formatWireguardKey, parseWireguardKey } from '@bloomery/wire';

const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');
const KEY_BYTES = 32;

/** A new WireGuard private key, as base64. */
export function generateWireguardKey(): string {
  const { privateKey } = generateKeyPairSync('x25519');
  const raw = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-KEY_BYTES);
  const key = Uint8Array.from(raw);
  key[0] = (key[0] ?? 0) & 0xf8;
  key[31] = ((key[31] ?? 0) & 0x7f) | 0x40;
  return formatWireguardKey(key);
}

/**
 * The public key of a private one, both base64.
 *
 * @throws BloomeryError BLM_LINK_KEY_INVALID when the text is not a key.
 */
export function wireguardPublicKey(privateKey: string): string {
  const raw = parseWireguardKey(privateKey);
  if (raw === undefined)
    throw new BloomeryError('BLM_LINK_KEY_INVALID', 'a WireGuard private key is not 32 bytes in base64');
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, raw]), format: 'der', type: 'pkcs8' });
  return formatWireguardKey(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES));
}
