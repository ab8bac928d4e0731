import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { isBloomeryError } from '@bloomery/ports';
import fc from 'fast-check';
import { isYamlMap, readYaml, writeYaml } from '../yaml/index.ts';
import {
  createSecretsBundle,
  createToken,
  loadLegacySecrets,
  loadSecretsBundle,
  readSecretsBundle,
  writeSecretsBundle,
} from './index.ts';

describe('a secrets bundle', () => {
  it('that was made is valid for its contract and survives being written', async () => {
    for (const minor of [2, 6]) {
      const bundle = await createSecretsBundle({
        contract: { major: 1, minor },
        nowMs: Date.UTC(2026, 0, 1),
        random: randomBytes,
      });
      assert.deepEqual(loadSecretsBundle(writeSecretsBundle(bundle)), bundle);
      assert.equal(bundle.aescbcEncryptionSecret === '', minor > 2);
      assert.match(bundle.clusterId, /^[A-Za-z0-9_-]{43}=$/);
    }
  });

  it('has tokens of the right form whose letters are equally likely', () => {
    // Bytes of 252 and more have to be dropped, the others to be taken modulo 36.
    let next = 0;
    const counting = (length: number): Uint8Array => Uint8Array.from({ length }, () => next++ % 256);
    const letters = new Map<string, number>();
    for (let i = 0; i < 252; i++) {
      const token = createToken(counting);
      assert.match(token, /^[a-z0-9]{6}\.[a-z0-9]{16}$/);
      for (const letter of token.replace('.', '')) letters.set(letter, (letters.get(letter) ?? 0) + 1);
    }
    const counts = [...letters.values()];
    assert.equal(letters.size, 36);
    assert.equal(Math.max(...counts) - Math.min(...counts) < 40, true, String(counts));
  });

  it('in the legacy format is read with an empty id and secret of the cluster', async () => {
    const bundle = await createSecretsBundle({
      contract: { major: 1, minor: 2 },
      nowMs: Date.UTC(2026, 0, 1),
      random: randomBytes,
    });
    const tree = readYaml(writeSecretsBundle(bundle))[0];
    const part = (key: string): string => writeYaml((isYamlMap(tree) ? tree[key] : null) ?? null);
    const texts = { certs: part('certs'), kubeSecrets: part('secrets'), trustdInfo: part('trustdinfo') };
    assert.deepEqual(loadLegacySecrets(texts), { ...bundle, clusterId: '', clusterSecret: '' });
    assert.throws(() => loadLegacySecrets({ ...texts, kubeSecrets: '{}', trustdInfo: 'null' }), {
      message:
        'reading secrets bundle: secrets.bootstraptoken is required; one of [secrets.secretboxencryptionsecret, secrets.aescbcencryptionsecret] is required; trustdinfo is required',
    });
  });

  it('that lacks parts names each of them', () => {
    assert.deepEqual(readSecretsBundle('{}').problems, [
      'cluster is required',
      'secrets is required',
      'trustdinfo is required',
      'certs is required',
    ]);
    assert.deepEqual(readSecretsBundle('cluster: {id: a}\nsecrets: {}\ntrustdinfo: {}\ncerts: {}').problems, [
      'cluster.secret is required',
      'secrets.bootstraptoken is required',
      'one of [secrets.secretboxencryptionsecret, secrets.aescbcencryptionsecret] is required',
      'trustdinfo.token is required',
      'certs.etcd is required',
      'certs.k8s is required',
      'certs.k8saggregator is required',
      'certs.os is required',
      'certs.k8sserviceaccount is required',
    ]);
  });

  it('gives an answer or a refusal without values for any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string({ unit: 'binary' })), (text) => {
        try {
          readSecretsBundle(text);
        } catch (error) {
          assert.ok(isBloomeryError(error, 'BLM_TALOS_SECRETS_INVALID'), String(error));
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
