import assert from 'node:assert/strict';
import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { readCertificate } from '../certificates/index.ts';
import { readVectors } from '../testing/vectors.ts';
import { field, isYamlMap, readYamlDocument, scalarString, type YamlTree } from '../yaml/index.ts';
import { createSecretsBundle, createTalosconfig, type SecretsBundle } from './index.ts';

interface CertificateCase {
  readonly bundle: string;
  readonly what: string;
  readonly certPem?: string;
  readonly talosconfig?: string;
  readonly keyPemType: string;
  readonly certificate?: Readonly<Record<string, unknown>>;
}

const SIGNATURES: Readonly<Record<string, string>> = {
  '1.3.101.112': 'Ed25519',
  '1.2.840.10045.4.3.2': 'ECDSA-SHA256',
  '1.2.840.113549.1.1.11': 'SHA256-RSA',
};
const CURVES: Readonly<Record<string, readonly [string, string]>> = {
  ed25519: ['Ed25519', 'Ed25519'],
  ec: ['ECDSA', 'P-256'],
  rsa: ['RSA', ''],
};

/** The certificate as the vectors describe it. */
function describeCertificate(pem: string): Record<string, unknown> {
  const parts = readCertificate(pem);
  const x509 = new X509Certificate(pem);
  const name = (text: string | undefined): string => (text ?? '').split('\n').join('+').replaceAll(' + ', '+');
  const organizations = name(x509.subject)
    .split('+')
    .filter((part) => part.startsWith('O='))
    .map((part) => part.slice(2));
  const [algorithm, curve] = CURVES[String(createPublicKey(pem).asymmetricKeyType)] ?? ['', ''];
  return {
    basicConstraintsValid: parts.isAuthority,
    commonName:
      name(x509.subject)
        .split('+')
        .find((part) => part.startsWith('CN='))
        ?.slice(3) ?? '',
    curve,
    extKeyUsage: parts.extendedKeyUsages,
    hasAuthorityKeyId: parts.hasAuthorityKeyId,
    isCA: parts.isAuthority,
    issuer: name(x509.issuer),
    keyUsage: parts.keyUsages,
    organizations: organizations.length === 0 ? null : organizations,
    pemType: /BEGIN ([A-Z0-9 ]+)-----/.exec(pem)?.[1],
    publicKeyAlgorithm: algorithm,
    serialBitsMax: parts.serial.length <= 17 ? 128 : parts.serial.length * 8,
    signatureAlgorithm: SIGNATURES[parts.signatureAlgorithmOid],
    subject: name(x509.subject),
    subjectKeyIdBytes: parts.subjectKeyId?.length ?? 0,
    validitySeconds: (parts.notAfter.getTime() - parts.notBefore.getTime()) / 1000,
    version: 3,
  };
}

function textAt(tree: YamlTree | undefined, ...path: readonly string[]): string {
  const [key, ...rest] = path;
  if (key === undefined) return scalarString(tree) ?? '';
  return isYamlMap(tree) ? textAt(field(tree, key), ...rest) : '';
}

function clientOf(talosconfig: string): { crt: string; key: string } {
  const tree = readYamlDocument(talosconfig);
  const context = textAt(tree, 'context');
  const pem = (key: string): string => Buffer.from(textAt(tree, 'contexts', context, key), 'base64').toString();
  return { crt: pem('crt'), key: pem('key') };
}

const keyType = (pem: string): string | undefined => /BEGIN ([A-Z0-9 ]+)-----/.exec(pem)?.[1];

const file = readVectors<CertificateCase>('cluster/certificates.json');
describe('cluster/certificates.json', { skip: file === undefined }, () => {
  const made = new Map<string, SecretsBundle>();
  before(async () => {
    const make = (minor: number): Promise<SecretsBundle> =>
      createSecretsBundle({ contract: { major: 1, minor }, nowMs: Date.UTC(2026, 0, 2), random: randomBytes });
    made.set('legacy', await make(1));
    made.set('modern', await make(13));
  });

  for (const vector of file?.cases ?? []) {
    const name = `${vector.bundle} ${vector.what}`;
    if (vector.certPem !== undefined || vector.talosconfig !== undefined) {
      it(`${name} is read`, () => {
        const pem = vector.certPem ?? clientOf(vector.talosconfig ?? '').crt;
        assert.deepEqual(describeCertificate(pem), vector.certificate);
      });
    }
    it(`${name} is made alike`, async () => {
      const { crt, key } = await makeLike(vector, made.get(vector.bundle));
      assert.equal(keyType(key), vector.keyPemType);
      if (vector.certificate !== undefined) assert.deepEqual(describeCertificate(crt), vector.certificate);
    });
  }
});

async function makeLike(
  vector: CertificateCase,
  bundle: SecretsBundle | undefined,
): Promise<{ crt: string; key: string }> {
  assert.ok(bundle !== undefined, `bundle ${vector.bundle}`);
  const roles = /roles (.*)$/.exec(vector.what)?.[1]?.split(',');
  if (roles !== undefined) {
    const source = { bundle, clusterName: 'blue', endpoints: [], nowMs: Date.UTC(2026, 0, 2), random: randomBytes };
    return clientOf(await createTalosconfig({ ...source, roles }));
  }
  switch (vector.what) {
    case 'certs.etcd':
      return bundle.etcd;
    case 'certs.k8s':
      return bundle.kubernetes;
    case 'certs.k8saggregator':
      return bundle.aggregator;
    case 'certs.os':
      return bundle.os;
    default:
      return { crt: '', key: bundle.serviceAccountKey };
  }
}
