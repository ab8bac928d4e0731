import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { createMemoryClient } from '@bloomery/kube/testing';
import { type KubeObject, secret } from '@bloomery/model';
import { createFakeClock } from '@bloomery/ports';
import { createSecretsBundle, readPrivateKey, writeSecretsBundle } from '@bloomery/talos';
import { createTalosCredentialStore } from './talos-credentials.ts';

const CLUSTER = { name: 'c', namespace: 'default' };
const HOUR_MS = 3_600_000;

async function world(bundle?: string) {
  const clock = createFakeClock(Date.UTC(2026, 0, 2));
  const data = { bundle: Buffer.from(bundle ?? '').toString('base64') };
  const object = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'c-talos', namespace: 'default' },
    data,
  } as KubeObject;
  const client = createMemoryClient({ clock, objects: bundle === undefined ? [] : [{ kind: secret, object }] });
  return { clock, client, store: createTalosCredentialStore({ clock, random: randomBytes }) };
}

const newBundle = async () =>
  await createSecretsBundle({ contract: { major: 1, minor: 6 }, nowMs: Date.UTC(2026, 0, 1), random: randomBytes });

describe('credentials for the Talos API', () => {
  it('come from the bundle of the cluster, for a day, as an administrator', async () => {
    const bundle = await newBundle();
    const { store, client } = await world(writeSecretsBundle(bundle));
    const answer = await store.of(client, CLUSTER);
    assert.ok(answer.ok);
    const certificate = new X509Certificate(answer.credentials.crt);
    assert.ok(certificate.verify(new X509Certificate(bundle.os.crt).publicKey));
    assert.ok(certificate.checkPrivateKey(readPrivateKey(answer.credentials.key)));
    assert.equal(certificate.subject, 'O=os:admin');
    assert.equal(certificate.validTo, 'Jan  3 00:00:00 2026 GMT');
    assert.equal(answer.credentials.ca, bundle.os.crt);
  });

  it('are kept for half of their life, and issued anew after a machine did not trust them only if the bundle is another', async () => {
    const { store, client, clock } = await world(writeSecretsBundle(await newBundle()));
    const crt = async (): Promise<string> => {
      const answer = await store.of(client, CLUSTER);
      return answer.ok ? answer.credentials.crt : answer.why;
    };
    const first = await crt();
    await clock.advance(11 * HOUR_MS);
    assert.equal(await crt(), first);
    await clock.advance(2 * HOUR_MS);
    const second = await crt();
    assert.notEqual(second, first);
    store.doubt(CLUSTER);
    assert.equal(await crt(), second);
    const data = { bundle: Buffer.from(writeSecretsBundle(await newBundle())).toString('base64') };
    await client.patch(secret, { ...CLUSTER, name: 'c-talos' }, { type: 'merge', body: { data } });
    assert.equal(await crt(), second);
    store.doubt(CLUSTER);
    assert.notEqual(await crt(), second);
  });

  it('that cannot be had say why', async () => {
    const none = await world();
    assert.deepEqual(await none.store.of(none.client, CLUSTER), {
      ok: false,
      why: 'Secret c-talos with the secrets of the cluster is not there yet',
    });
    const broken = await world('cluster: {}\n');
    const answer = await broken.store.of(broken.client, CLUSTER);
    assert.ok(!answer.ok);
    assert.match(answer.why, /^Secret c-talos cannot be used: /);
  });
});
