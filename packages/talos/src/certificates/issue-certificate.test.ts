import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect, createServer } from 'node:tls';
import {
  createCertificateAuthority,
  issueCertificate,
  type KeyAlgorithm,
  loadCertificateAuthority,
  readCertificate,
  readPrivateKey,
  talosKeyPem,
} from './index.ts';

const notBefore = new Date('2026-01-02T03:04:05Z');
const notAfter = new Date('2099-12-31T23:59:58Z');
const algorithms: readonly KeyAlgorithm[] = ['ed25519', 'ecdsa-p256', 'rsa-2048'];

for (const algorithm of algorithms) {
  describe(`a certificate authority with ${algorithm}`, () => {
    it('signs itself and leaf certificates that node:crypto verifies', async () => {
      const ca = await createCertificateAuthority({
        subject: { organizations: ['talos'] },
        algorithm,
        notBefore,
        notAfter,
      });
      const root = new X509Certificate(ca.certificatePem);
      assert.equal(root.ca, true);
      assert.equal(root.verify(root.publicKey), true);
      assert.equal(root.checkPrivateKey(ca.key), true);
      const leaf = await issueCertificate(ca, {
        subject: { commonName: 'plane', organizations: ['system:masters', 'a'] },
        notBefore,
        notAfter: new Date('2030-01-01T00:00:00Z'),
        names: ['localhost', '10.0.0.1', 'fd00::1', '::ffff:1.2.3.4', '*.x.example'],
        extendedKeyUsages: ['serverAuth', 'clientAuth'],
      });
      const read = new X509Certificate(leaf.certificatePem);
      assert.equal(read.verify(root.publicKey), true);
      assert.equal(read.checkIssued(root), true);
      assert.equal(
        read.subjectAltName,
        'DNS:localhost, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1, IP Address:0:0:0:0:0:FFFF:102:304, DNS:*.x.example',
      );
      assert.equal(read.validFrom, 'Jan  2 03:04:05 2026 GMT');
      assert.equal(read.validTo, 'Jan  1 00:00:00 2030 GMT');
      assert.equal(root.validTo, 'Dec 31 23:59:58 2099 GMT');
      assert.equal(readCertificate(ca.certificatePem).notAfter.toISOString(), '2099-12-31T23:59:58.000Z');
    });

    it('is taken by openssl verify for server and client', async () => {
      const ca = await createCertificateAuthority({ subject: { commonName: 'ca' }, algorithm, notBefore, notAfter });
      const leaf = await issueCertificate(ca, {
        subject: {},
        notBefore,
        notAfter,
        names: ['plane.example'],
        extendedKeyUsages: ['serverAuth', 'clientAuth'],
      });
      const dir = mkdtempSync(join(tmpdir(), 'bloomery-x509-'));
      try {
        writeFileSync(join(dir, 'ca.pem'), ca.certificatePem);
        writeFileSync(join(dir, 'leaf.pem'), leaf.certificatePem);
        for (const purpose of ['sslserver', 'sslclient']) {
          const said = execFileSync(
            'openssl',
            [
              'verify',
              '-x509_strict',
              '-purpose',
              purpose,
              '-verify_hostname',
              'plane.example',
              '-CAfile',
              join(dir, 'ca.pem'),
              join(dir, 'leaf.pem'),
            ],
            { encoding: 'utf8' },
          );
          assert.match(said, /leaf\.pem: OK/);
        }
      } finally {
        rmSync(dir, { recursive: true });
      }
    });

    it('serves TLS with a client certificate', async () => {
      const ca = await createCertificateAuthority({ subject: { commonName: 'ca' }, algorithm, notBefore, notAfter });
      const issue = (commonName: string, names: string[]) =>
        issueCertificate(ca, {
          subject: { commonName },
          notBefore,
          notAfter,
          names,
          extendedKeyUsages: ['serverAuth', 'clientAuth'],
        });
      const server = await issue('server', ['127.0.0.1']);
      const client = await issue('client', []);
      const listener = createServer(
        {
          cert: server.certificatePem,
          key: server.keyPem,
          ca: ca.certificatePem,
          requestCert: true,
          rejectUnauthorized: true,
        },
        (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)),
      );
      listener.listen(0, '127.0.0.1');
      await once(listener, 'listening');
      const address = listener.address();
      assert.ok(address !== null && typeof address === 'object');
      const socket = connect({
        host: '127.0.0.1',
        port: address.port,
        ca: ca.certificatePem,
        cert: client.certificatePem,
        key: client.keyPem,
      });
      const [data] = (await once(socket, 'data')) as [Buffer];
      assert.equal(data.toString(), 'client');
      socket.destroy();
      listener.close();
    });

    it('is loaded again from the PEM texts of Talos', async () => {
      const ca = await createCertificateAuthority({ subject: {}, algorithm, notBefore, notAfter });
      const loaded = loadCertificateAuthority(ca.certificatePem, talosKeyPem(ca.key));
      assert.equal(loaded.keyPem, ca.keyPem);
      const other = await createCertificateAuthority({ subject: {}, algorithm, notBefore, notAfter });
      assert.throws(() => loadCertificateAuthority(ca.certificatePem, other.keyPem), /does not belong/);
    });
  });
}

describe('private keys', () => {
  it("wear Talos' armour for Ed25519 and are read through it", async () => {
    const ca = await createCertificateAuthority({ subject: {}, algorithm: 'ed25519', notBefore, notAfter });
    const pem = talosKeyPem(ca.key);
    assert.match(pem, /^-----BEGIN ED25519 PRIVATE KEY-----\n[\s\S]*\n-----END ED25519 PRIVATE KEY-----\n$/);
    assert.throws(() => createPrivateKey(pem));
    assert.equal(readPrivateKey(pem).equals(ca.key), true);
  });

  it('are never quoted when they cannot be read', () => {
    assert.throws(
      () => readPrivateKey('-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----'),
      (error: Error) => !error.message.includes('c2Vj'),
    );
  });
});

describe('a certificate that is damaged', () => {
  it('is refused with a code at every truncation', async () => {
    const ca = await createCertificateAuthority({
      subject: { commonName: 'x' },
      algorithm: 'ed25519',
      notBefore,
      notAfter,
    });
    const body = Buffer.from(ca.certificatePem.split('\n').slice(1, -2).join(''), 'base64');
    for (let length = 0; length < body.length; length++) {
      const text = `-----BEGIN CERTIFICATE-----\n${body.subarray(0, length).toString('base64')}\n-----END CERTIFICATE-----\n`;
      assert.throws(() => readCertificate(text), { code: 'BLM_TALOS_CERTIFICATE_MALFORMED' });
    }
  });
});
