import type { RandomBytes } from '@bloomery/ports';
import {
  type CertificateAuthority,
  createCertificateAuthority,
  generatePrivateKey,
  type KeyAlgorithm,
  talosKeyPem,
} from '../certificates/index.ts';
import { isAtLeast, type VersionContract } from '../generate/version-contract.ts';
import type { PemPair, SecretsBundle } from './secrets-bundle.ts';

/** What new secrets are made from. */
export interface BundleSource {
  /** Decides the encryption secret (secretbox from 1.3) and the service account key (RSA from 1.7). */
  readonly contract: VersionContract;
  readonly nowMs: number;
  readonly random: RandomBytes;
}

const AUTHORITY_LIFE_MS = 87_600 * 3_600_000;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
/** Bytes from here on are dropped, so that every letter is equally likely. */
const UNBIASED_BELOW = 252;

/** New secrets for a cluster (spec/cluster.md section 5). An RSA key takes about a second, on the thread pool. */
export async function createSecretsBundle(source: BundleSource): Promise<SecretsBundle> {
  const { contract, random } = source;
  const hasSecretbox = isAtLeast(contract, 3);
  const serviceAccount: KeyAlgorithm = isAtLeast(contract, 7) ? 'rsa-4096' : 'ecdsa-p256';
  const [etcd, kubernetes, aggregator, os, serviceAccountKey] = await Promise.all([
    authority(source, 'ecdsa-p256', ['etcd']),
    authority(source, 'ecdsa-p256', ['kubernetes']),
    authority(source, 'ecdsa-p256', []),
    authority(source, 'ed25519', ['talos']),
    generatePrivateKey(serviceAccount),
  ]);
  const secret = (): string => Buffer.from(random(32)).toString('base64');
  return {
    clusterId: secret().replaceAll('+', '-').replaceAll('/', '_'),
    clusterSecret: secret(),
    bootstrapToken: createToken(random),
    aescbcEncryptionSecret: hasSecretbox ? '' : secret(),
    secretboxEncryptionSecret: hasSecretbox ? secret() : '',
    trustdToken: createToken(random),
    etcd,
    kubernetes,
    aggregator,
    os,
    serviceAccountKey: talosKeyPem(serviceAccountKey),
  };
}

async function authority(
  source: BundleSource,
  algorithm: KeyAlgorithm,
  organizations: readonly string[],
): Promise<PemPair> {
  const made: CertificateAuthority = await createCertificateAuthority({
    subject: { organizations },
    algorithm,
    notBefore: new Date(source.nowMs),
    notAfter: new Date(source.nowMs + AUTHORITY_LIFE_MS),
    random: source.random,
  });
  return { crt: made.certificatePem, key: talosKeyPem(made.key) };
}

/** A bootstrap token: `[a-z0-9]{6}.[a-z0-9]{16}`, every letter equally likely. */
export function createToken(random: RandomBytes): string {
  return `${letters(random, 6)}.${letters(random, 16)}`;
}

function letters(random: RandomBytes, count: number): string {
  let text = '';
  while (text.length < count) {
    for (const byte of random(count)) {
      if (byte < UNBIASED_BELOW && text.length < count) text += LETTERS.charAt(byte % LETTERS.length);
    }
  }
  return text;
}
