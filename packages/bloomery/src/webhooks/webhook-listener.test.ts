import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request } from 'node:https';
import { describe, it } from 'node:test';
import { allKinds, type JsonObject } from '@bloomery/model';
import { silentLog } from '@bloomery/ports';
import { createCertificateAuthority, issueCertificate, pkcs8Pem } from '@bloomery/talos';
import { startWebhookListener } from './webhook-listener.ts';

const VALIDITY = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2099-01-01T00:00:00Z') };

async function start() {
  const authority = await createCertificateAuthority({
    ...VALIDITY,
    subject: { organizations: ['authority'] },
    algorithm: 'ecdsa-p256',
    random: randomBytes,
  });
  const names = ['127.0.0.1'];
  const issued = await issueCertificate(authority, {
    ...VALIDITY,
    subject: { commonName: 'webhooks' },
    names,
    extendedKeyUsages: ['serverAuth'],
    random: randomBytes,
  });
  const certificate = { cert: issued.certificatePem, key: pkcs8Pem(issued.key) };
  const listen = { host: '127.0.0.1', port: 0 };
  const service = await startWebhookListener(listen, { kinds: allKinds, certificate, log: silentLog });
  const call = (method: string, path: string, body = ''): Promise<{ readonly status: number; readonly text: string }> =>
    new Promise((resolve, reject) => {
      const options = { ...service.address, method, path, ca: authority.certificatePem, agent: false };
      const sent = request(options, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  return { call, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() };
}

const review = (object: JsonObject): string =>
  JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { uid: 'u', object } });

describe('the webhooks for a real kube-apiserver', () => {
  it('refuse what the embedded API refuses, by the field', async () => {
    await using w = await start();
    const object = {
      apiVersion: 'controlplane.cluster.x-k8s.io/v1alpha3',
      kind: 'TalosControlPlane',
      metadata: { name: 'cp' },
      spec: { rolloutStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '30%' } } },
    };
    const { status, text } = await w.call('POST', '/validate', review(object));
    assert.equal(status, 200);
    const { response } = JSON.parse(text);
    assert.equal(response.uid, 'u');
    assert.equal(response.allowed, false);
    assert.equal(response.status.details.causes[0].field, 'spec.rolloutStrategy.rollingUpdate.maxSurge');
  });

  it('survive callers that are none', async () => {
    await using w = await start();
    assert.equal((await w.call('GET', '/convert')).status, 404);
    assert.equal((await w.call('POST', '/else', '{}')).status, 404);
    assert.equal((await w.call('POST', '/convert', '{')).status, 400);
    const { status, text } = await w.call('POST', '/convert', '[]');
    assert.equal(status, 200);
    assert.equal(JSON.parse(text).response.result.message, 'the body is no ConversionReview');
  });
});
