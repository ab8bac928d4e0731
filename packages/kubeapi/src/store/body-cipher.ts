import { createCipheriv, createDecipheriv } from 'node:crypto';
import { BloomeryError, type RandomBytes } from '@bloomery/ports';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals object bodies at rest. `label` binds the bytes to their row, so that rows cannot be swapped. */
export interface BodyCipher {
  seal(text: string, label: string): Uint8Array;
  /** @throws BloomeryError BLM_STORE_CORRUPT when the bytes or the label do not fit the key. */
  open(sealed: Uint8Array, label: string): string;
}

/** AES-256-GCM with a 32-byte key: nonce (12 bytes), tag (16 bytes), ciphertext. */
export function createBodyCipher(key: Uint8Array, random: RandomBytes): BodyCipher {
  return {
    seal(text, label) {
      const nonce = random(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(label));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]);
    },
    open(sealed, label) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES));
        decipher.setAAD(Buffer.from(label)).setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
        return decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
      } catch (cause) {
        throw new BloomeryError('BLM_STORE_CORRUPT', `Reading ${label}: its body does not open with the store's key`, {
          cause,
        });
      }
    },
  };
}
