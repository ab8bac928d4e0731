import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import {
  certifyPublicKey,
  createCertificateAuthority,
  createCertificateRequest,
  generatePrivateKey,
  type KeyAlgorithm,
  pem,
  pemBlock,
  readCertificateRequest,
} from './index.ts';

const names = ['127.0.0.1', 'fd00::1', 'node-1', 'node-1.example.org'];
const validity = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2027-01-01T00:00:00Z') };
const isMalformed = (error: unknown): boolean => isBloomeryError(error, 'BLM_TALOS_CERTIFICATE_MALFORMED');

describe('a certificate request', () => {
  for (const algorithm of ['ed25519', 'ecdsa-p256', 'rsa-2048'] satisfies KeyAlgorithm[]) {
    it(`with a key of kind ${algorithm} becomes a certificate for its key and names`, async () => {
      const key = await generatePrivateKey(algorithm);
      const request = createCertificateRequest({ subject: { commonName: 'node-1' }, key, names });
      const asked = readCertificateRequest(request);
      assert.deepEqual(asked.names, names);
      const authority = await createCertificateAuthority({ ...validity, subject: {}, algorithm: 'ed25519' });
      const certificate = certifyPublicKey(authority, asked.publicKeyDer, {
        ...validity,
        subject: { commonName: 'node-1' },
        names: asked.names,
        extendedKeyUsages: ['serverAuth'],
      });
      const read = new X509Certificate(certificate);
      assert.equal(read.checkPrivateKey(key), true);
      assert.equal(read.verify(new X509Certificate(authority.certificatePem).publicKey), true);
      assert.equal(read.checkHost('node-1.example.org'), 'node-1.example.org');
      assert.equal(read.checkIP('127.0.0.1'), '127.0.0.1');
    });
  }

  it('with any byte changed, or cut off anywhere, is refused or asks for the same names with another signature', async () => {
    const key = await generatePrivateKey('ed25519');
    const bytes = pemBlock(createCertificateRequest({ subject: {}, key, names }), 'CERTIFICATE REQUEST');
    assert.ok(bytes !== undefined);
    const read = (changed: Uint8Array): void => {
      assert.throws(() => readCertificateRequest(pem('CERTIFICATE REQUEST', changed)), isMalformed);
    };
    for (let length = 0; length < bytes.length; length++) read(bytes.subarray(0, length));
    const signed = bytes.length - 64 - 12;
    fc.assert(
      fc.property(fc.integer({ min: 4, max: signed }), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = ((changed[at] ?? 0) + by) & 0xff;
        read(changed);
      }),
      { numRuns: 500 },
    );
  });

  it('that is any bytes is refused as malformed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        assert.throws(() => readCertificateRequest(pem('CERTIFICATE REQUEST', bytes)), isMalformed);
      }),
    );
    assert.throws(() => readCertificateRequest('no PEM'), isMalformed);
  });
});
