import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { parseKubeconfig } from '@bloomery/kube';
import { createMemoryClient } from '@bloomery/kube/testing';
import { type Cluster, type KubeObject, type Secret, secret } from '@bloomery/model';
import { createFakeClock } from '@bloomery/ports';
import { createCertificateAuthority, readCertificate } from '@bloomery/talos';
import fc from 'fast-check';
import { checkAdminKubeconfig, serverUrl } from './admin-kubeconfig.ts';
import { ensureKubeconfig, type KubeconfigOutcome } from './kubeconfig-secret.ts';

const START_MS = Date.parse('2026-01-01T00:00:00Z');
const DAY_MS = 86_400_000;
const key = { name: 'c-kubeconfig', namespace: 'n' };
const cluster: Cluster = {
  apiVersion: 'cluster.x-k8s.io/v1beta1',
  kind: 'Cluster',
  metadata: { name: 'c', namespace: 'n' },
};
const owner: KubeObject = {
  apiVersion: 'controlplane.cluster.x-k8s.io/v1alpha3',
  kind: 'TalosControlPlane',
  metadata: { name: 'cp', namespace: 'n', uid: 'u' },
};
const endpoint = { host: '10.0.0.1', port: 6443 };

const newAuthority = () =>
  createCertificateAuthority({
    subject: { organizations: ['kubernetes'] },
    algorithm: 'ecdsa-p256',
    notBefore: new Date(START_MS),
    notAfter: new Date(START_MS + 3650 * DAY_MS),
  });
const authority = await newAuthority();
const stranger = await newAuthority();

function caSecret(data: Readonly<Record<string, string>>): Secret {
  const encoded = Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString('base64')]);
  const metadata = { name: 'c-ca', namespace: 'n' };
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data: Object.fromEntries(encoded) };
}
const goodCa = caSecret({ 'tls.crt': authority.certificatePem, 'tls.key': authority.keyPem });

function world(...objects: readonly Secret[]) {
  const client = createMemoryClient({ objects: objects.map((object) => ({ kind: secret, object })) });
  const clock = createFakeClock(START_MS);
  const deps = { client, clock, random: (length: number) => crypto.getRandomValues(new Uint8Array(length)) };
  return {
    client,
    clock,
    ensure: (more: Partial<Parameters<typeof ensureKubeconfig>[1]> = {}): Promise<KubeconfigOutcome> =>
      ensureKubeconfig(deps, { cluster, owner, endpoint, ...more }),
    async text(): Promise<string> {
      const found = await client.get(secret, key);
      return Buffer.from(found.data?.['value'] ?? '', 'base64').toString();
    },
  };
}

describe('the kubeconfig Secret of a cluster', () => {
  it('is made from the authority of the cluster as Cluster API expects it', async () => {
    const { client, ensure, text } = world(goodCa);
    const outcome = await ensure();
    assert.equal(outcome.state, 'ready');
    const found = await client.get(secret, key);
    assert.equal(found.type, 'cluster.x-k8s.io/secret');
    assert.deepEqual(found.metadata.labels, { 'cluster.x-k8s.io/cluster-name': 'c' });
    assert.deepEqual(found.metadata.ownerReferences, [
      {
        apiVersion: 'controlplane.cluster.x-k8s.io/v1alpha3',
        kind: 'TalosControlPlane',
        name: 'cp',
        uid: 'u',
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    assert.deepEqual(Object.keys(found.data ?? {}), ['value']);
    const config = await text();
    assert.match(config, /^current-context: c-admin@c$/m);
    const access = parseKubeconfig(config, 'test');
    assert.equal(access.server, 'https://10.0.0.1:6443');
    assert.equal(access.ca, authority.certificatePem);
    const certificate = new X509Certificate(access.cert ?? '');
    assert.equal(certificate.subject, 'O=system:masters\nCN=kubernetes-admin');
    assert.equal(certificate.publicKey.asymmetricKeyType, 'rsa');
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
    assert.ok(certificate.verify(new X509Certificate(authority.certificatePem).publicKey));
    assert.equal(Date.parse(certificate.validTo), START_MS + 365 * DAY_MS);
    assert.deepEqual(readCertificate(access.cert ?? '').extendedKeyUsages, ['clientAuth']);
  });

  it('is left as it is while it serves, and made again when half of the life of its certificate is over', async () => {
    const { clock, ensure, text } = world(goodCa);
    await ensure();
    const first = await text();
    const again = await ensure();
    assert.ok(again.state === 'ready' && again.written === undefined);
    await clock.advance(again.renewAtMs - START_MS - 1);
    await ensure();
    assert.equal(await text(), first);
    await clock.advance(1);
    const renewed = await ensure();
    assert.ok(renewed.state === 'ready');
    assert.match(renewed.written ?? '', /half of the life/);
    assert.notEqual(await text(), first);
    assert.ok(renewed.renewAtMs > clock.nowMs() + 180 * DAY_MS);
  });

  it('follows the endpoint, with IPv6 in brackets', async () => {
    const { ensure, text } = world(goodCa);
    await ensure();
    const moved = await ensure({ endpoint: { host: 'fd00::1', port: 443 } });
    assert.match(moved.state === 'ready' ? (moved.written ?? '') : '', /endpoint/);
    assert.equal(parseKubeconfig(await text(), 'test').server, 'https://[fd00::1]:443');
  });

  it('follows the authority', async () => {
    const { client, ensure } = world(goodCa);
    await ensure();
    const other = await newAuthority();
    const { data = {} } = caSecret({ 'tls.crt': other.certificatePem, 'tls.key': other.keyPem });
    await client.patch(secret, { ...key, name: 'c-ca' }, { type: 'merge', body: { data } });
    const renewed = await ensure();
    assert.match(renewed.state === 'ready' ? (renewed.written ?? '') : '', /authority/);
  });

  it('is mended when it is damaged', async () => {
    const { client, ensure } = world(goodCa);
    await ensure();
    for (const value of ['', 'AAAA', Buffer.from('a: [').toString('base64')]) {
      await client.patch(secret, key, { type: 'merge', body: { data: { value } } });
      const mended = await ensure();
      assert.match(mended.state === 'ready' ? (mended.written ?? '') : '', /damaged/);
    }
  });

  it('is never touched when the user brought it', async () => {
    const theirs: Secret = { apiVersion: 'v1', kind: 'Secret', metadata: key, data: { value: 'AAAA' } };
    const { client, ensure } = world(goodCa, theirs);
    assert.deepEqual(await ensure(), { state: 'foreign' });
    assert.equal((await client.get(secret, key)).data?.['value'], 'AAAA');
  });

  const refusals: [name: string, objects: readonly Secret[], state: string, message: RegExp][] = [
    ['is not made without an authority', [], 'noAuthority', /Secret c-ca does not exist yet/],
    [
      'says that the authority has no key',
      [caSecret({ 'tls.crt': authority.certificatePem })],
      'broken',
      /it has no tls.key; correct it, or create Secret c-kubeconfig/,
    ],
    ['says that the authority is damaged', [caSecret({ 'tls.crt': 'x', 'tls.key': 'y' })], 'broken', /Secret c-ca/],
    [
      'says that the key is of another authority',
      [caSecret({ 'tls.crt': authority.certificatePem, 'tls.key': stranger.keyPem })],
      'broken',
      /does not belong to the certificate/,
    ],
  ];
  for (const [name, objects, state, message] of refusals) {
    it(name, async () => {
      const { client, ensure } = world(...objects);
      const outcome = await ensure();
      assert.equal(outcome.state, state);
      assert.match('message' in outcome ? outcome.message : '', message);
      await assert.rejects(client.get(secret, key));
    });
  }
});

describe('checkAdminKubeconfig', () => {
  it('never throws, whatever is in the Secret', () => {
    const source = { clusterName: 'c', endpoint, authority, nowMs: START_MS };
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => checkAdminKubeconfig(text, source).serves === false),
    );
  });

  it('writes the server as a URL', () => {
    assert.equal(serverUrl({ host: 'k8s.example.org', port: 6443 }), 'https://k8s.example.org:6443');
    assert.equal(serverUrl({ host: '::1', port: 6443 }), 'https://[::1]:6443');
  });
});
