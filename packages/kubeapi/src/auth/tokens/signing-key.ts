import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BloomeryError } from '@bloomery/ports';
import { writeDurably } from '../../store/store-files.ts';
import { readSigningKey, type SigningKey } from './jwt.ts';

/**
 * The key that signs service account tokens: `DIR/pki/sa.key`, made once, mode 0600. An operator may put a P-256 or RSA key
 * of his own there before the first start.
 *
 * @throws BloomeryError BLM_API_SIGNING_KEY when the file holds no such key.
 */
export function loadSigningKey(dir: string): SigningKey {
  const pki = join(dir, 'pki');
  mkdirSync(pki, { recursive: true, mode: 0o700 });
  const file = join(pki, 'sa.key');
  if (!existsSync(file)) writeDurably(file, createSigningKeyPem());
  const key = readSigningKey(readFileSync(file, 'utf8'));
  if (key !== undefined) return key;
  throw new BloomeryError(
    'BLM_API_SIGNING_KEY',
    `reading the key that signs service account tokens, ${file}: it is no P-256 or RSA private key in PEM`,
    { facts: { file } },
  );
}

/** A new P-256 key as PKCS#8 PEM. */
export function createSigningKeyPem(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ format: 'pem', type: 'pkcs8' })
    .toString();
}
