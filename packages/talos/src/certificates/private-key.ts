import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { BloomeryError } from '@bloomery/ports';

/** Key algorithms that Talos and Kubernetes use. */
export type KeyAlgorithm = 'ed25519' | 'ecdsa-p256' | 'rsa-2048' | 'rsa-4096';

const generate = promisify(generateKeyPair);

/** A new private key. RSA takes up to seconds and runs on the thread pool. */
export async function generatePrivateKey(algorithm: KeyAlgorithm): Promise<KeyObject> {
  switch (algorithm) {
    case 'ed25519':
      return (await generate('ed25519')).privateKey;
    case 'ecdsa-p256':
      return (await generate('ec', { namedCurve: 'P-256' })).privateKey;
    case 'rsa-2048':
      return (await generate('rsa', { modulusLength: 2048 })).privateKey;
    case 'rsa-4096':
      return (await generate('rsa', { modulusLength: 4096 })).privateKey;
  }
}

/**
 * PEM as Talos writes it: `ED25519 PRIVATE KEY` around PKCS#8, `EC PRIVATE KEY` (SEC1), `RSA PRIVATE KEY` (PKCS#1).
 *
 * @see spec/cluster.md section 5
 */
export function talosKeyPem(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case 'ec':
      return key.export({ format: 'pem', type: 'sec1' }).toString();
    case 'rsa':
      return key.export({ format: 'pem', type: 'pkcs1' }).toString();
    default:
      return key
        .export({ format: 'pem', type: 'pkcs8' })
        .toString()
        .replaceAll(' PRIVATE KEY-', ' ED25519 PRIVATE KEY-');
  }
}

/** PEM in PKCS#8, which node:tls and every other reader take. */
export function pkcs8Pem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/**
 * Read a private key in PEM; also Talos' `ED25519 PRIVATE KEY` armour, which node:crypto refuses.
 *
 * @throws BloomeryError BLM_TALOS_CERTIFICATE_MALFORMED. The message never quotes the key.
 */
export function readPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem.replaceAll(' ED25519 PRIVATE KEY-', ' PRIVATE KEY-'));
  } catch {
    throw new BloomeryError(
      'BLM_TALOS_CERTIFICATE_MALFORMED',
      'reading a private key: not a PEM private key of a known kind',
    );
  }
}
